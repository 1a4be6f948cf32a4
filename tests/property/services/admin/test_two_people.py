"""No path to an effect with one identity: whatever somebody tries, and whoever they become."""

import asyncio
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import NoteExecutor, a_caller
from services.admin.domain.act import Act, Target
from services.admin.domain.permission import RULES
from services.admin.domain.proposal import ProposalState
from services.admin.domain.role import Role
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import PerformAct

TWO = sorted(action for action, rule in RULES.items() if rule.two_people)
KINDS = {action.partition(".")[0] for action in TWO}


class Step(NamedTuple):
    """What one person does, being of some role by then."""

    do: str
    person: int
    role: Role
    action: str
    number: int
    version: int


STEPS = st.builds(
    Step,
    do=st.sampled_from(["ask", "approve", "reject"]),
    person=st.integers(1, 3),
    role=st.sampled_from(list(Role)),
    action=st.sampled_from(TWO),
    number=st.integers(1, 5),
    version=st.integers(1, 2),
)


class TestTwoPeople:
    @given(st.lists(STEPS, max_size=40))
    def test_are_behind_every_effect(self, steps: list[Step]) -> None:
        """Maker and checker differ, once for each proposal, of the version it was made for."""
        asyncio.run(_try(steps))


async def _try(steps: list[Step]) -> None:
    tables, executor = MemoryTransactions(), NoteExecutor()
    executors = dict.fromkeys(KINDS, executor)
    perform, decide = PerformAct(tables, executors), DecideProposal(tables, executors)
    for step in steps:
        caller = a_caller(step.role, operator=step.person, has_factor=True)
        tables.put(caller)
        executor.target_now = Target(version=step.version)
        proposal = tables.proposals.get(step.number)
        match step.do:
            case "ask":
                await perform(caller, Act(step.action, "thing/1", {}, "because"))
            case "approve":
                agreed = bytes(32) if proposal is None else proposal.hash
                await decide.approve(caller, step.number, agreed=agreed)
            case _:
                await decide.reject(caller, step.number, reason="no")
    approved = [p for p in tables.proposals.values() if p.state is ProposalState.APPROVED]
    assert len(approved) == len(executor.done) == len(tables.commands)
    assert all(author.maker != author.checker != 0 for _, author in executor.done)
    assert sorted(p.maker for p in approved) == sorted(a.maker for _, a in executor.done)
    # One row for each thing that was tried, by its own person.
    assert [step.person for step in steps] == [row.operator for row in tables.audit]
