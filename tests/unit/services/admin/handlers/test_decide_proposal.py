"""The second person's word: who may say it, about what, once, and what becomes of it."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.operators import NoteExecutor, a_caller
from libs.pg import StoreUnavailable
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.proposal import Proposal, ProposalState
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place, Role, Scope
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import Done
from services.admin.ports import Author, Work

SET = Act("product.set", "product/standard", {"ceiling": 1}, "because", "paper 7")
MAKER, CHECKER, OTHER = 1, 2, 3
NOON_MS = 1_795_600_000_000


class Desk:
    """DecideProposal over memory, with one proposal of operator 1 on version 4."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOON_MS)
        self.tables = MemoryTransactions(self.clock)
        self.executor = NoteExecutor(target=Target(version=4))
        self.decide = DecideProposal(self.tables, {"product": self.executor})

    async def proposed(self, act: Act = SET) -> Proposal:
        """Return a fresh proposal of the maker."""
        self.tables.put(a_caller(Role.ADMINISTRATOR, operator=MAKER))
        async with self.tables.begin() as work:
            number = await work.proposals.add(act, version=4, maker=MAKER)
        return self.tables.proposals[number]

    async def approve(
        self, proposal: Proposal, *, by: int = CHECKER, role: Role = Role.APPROVER
    ) -> Done | Refused:
        """Approve it as it was read."""
        caller = a_caller(role, operator=by)
        return await self.decide.approve(caller, proposal.number, agreed=proposal.hash)

    def state(self, proposal: Proposal) -> ProposalState:
        """Return where it stands."""
        return self.tables.proposals[proposal.number].state

    def noted(self) -> tuple[str, dict[str, object]]:
        """Return the last row's result and content."""
        row = self.tables.audit[-1]
        return row.result, json.loads(row.content)


class TestApprove:
    async def test_does_what_was_proposed(self) -> None:
        """Both people answer for it, and the audit names what it was."""
        desk = Desk()
        proposal = await desk.proposed()

        answer = await desk.approve(proposal)

        assert Done({"entity": "product/standard"}) == answer
        assert [(SET, Author(MAKER, "operator1", CHECKER, "operator2"))] == desk.executor.done
        decided = desk.tables.proposals[1]
        assert (ProposalState.APPROVED, CHECKER, NOON_MS) == (
            decided.state,
            decided.checker,
            decided.decided_ms,
        )
        result, content = desk.noted()
        assert "approved" == result
        assert ("product.set", "product/standard", "operator1", proposal.hash.hex()) == (
            content["action"],
            content["entity"],
            content["maker"],
            content["hash"],
        )

    async def test_refuses_the_maker(self) -> None:
        """Also once they have become an approver themselves; the attempt is noted."""
        desk = Desk()
        proposal = await desk.proposed()

        answer = await desk.approve(proposal, by=MAKER)

        assert Refused(Refusal.MAKER_IS_CHECKER) == answer
        assert ProposalState.OPEN is desk.state(proposal)
        assert [] == desk.executor.done
        assert ("refused", "MAKER_IS_CHECKER") == (desk.noted()[0], desk.noted()[1]["why"])

    async def test_refuses_every_other_role(self) -> None:
        """Nobody but approvers, and they with a second factor."""
        desk = Desk()
        proposal = await desk.proposed()

        for role in set(Role) - {Role.APPROVER}:
            assert Refused(Refusal.NOT_YOUR_ROLE) == await desk.approve(proposal, role=role)
        answer = await desk.decide.approve(
            a_caller(Role.APPROVER, operator=CHECKER, has_factor=False), 1, agreed=proposal.hash
        )

        assert Refused(Refusal.CODE_NEEDED) == answer
        assert ProposalState.OPEN is desk.state(proposal)
        assert {"refused"} == {row.result for row in desk.tables.audit}

    async def test_refuses_what_the_checker_has_not_read(self) -> None:
        """Another hash than the proposal's; it stays open for who has read it."""
        desk = Desk()
        proposal = await desk.proposed()

        answer = await desk.decide.approve(
            a_caller(Role.APPROVER, operator=CHECKER), 1, agreed=bytes(32)
        )

        assert Refused(Refusal.CHANGED_MEANWHILE) == answer
        assert ProposalState.OPEN is desk.state(proposal)
        assert [] == desk.executor.done

    @pytest.mark.parametrize(
        ("role", "scope", "state"),
        [
            (Role.ADMINISTRATOR, Scope(), "disabled"),
            (Role.OPERATOR, Scope(), "active"),
            (Role.ADMINISTRATOR, Scope(frozenset({"papua"})), "active"),
        ],
        ids=["disabled", "another role", "another scope"],
    )
    async def test_is_void_when_the_maker_may_not_any_more(
        self, role: Role, scope: Scope, state: str
    ) -> None:
        """What somebody left behind who lost the right to it happens no more."""
        desk = Desk()
        desk.executor.target_now = Target(Place(region="maluku"), 4)
        proposal = await desk.proposed()
        desk.tables.put(
            a_caller(role, operator=MAKER, scope=scope), is_disabled=state == "disabled"
        )

        answer = await desk.approve(proposal)

        assert Refused(Refusal.MAKER_MAY_NOT) == answer
        assert (ProposalState.VOID, []) == (desk.state(proposal), desk.executor.done)

    async def test_is_void_when_the_entity_changed(self) -> None:
        """What was approved was a change of the version that was there."""
        desk = Desk()
        proposal = await desk.proposed()
        desk.executor.target_now = Target(version=5)

        answer = await desk.approve(proposal)

        assert Refused(Refusal.CHANGED_MEANWHILE) == answer
        assert ProposalState.VOID is desk.state(proposal)
        assert [] == desk.executor.done
        assert "void" == desk.noted()[0]

    async def test_is_void_when_the_content_changed(self) -> None:
        """Somebody rewrote it in the table and left its hash."""
        desk = Desk()
        proposal = await desk.proposed()
        rewritten = proposal._replace(act=SET._replace(content={"ceiling": 9}))
        async with desk.tables.begin() as work:
            work.proposals._tables.proposals[1] = rewritten

        answer = await desk.approve(proposal)

        assert Refused(Refusal.CHANGED_MEANWHILE) == answer
        assert ProposalState.VOID is desk.state(proposal)
        assert [] == desk.executor.done

    async def test_is_void_when_it_cannot_be_done_any_more(self) -> None:
        """Neither found nor done: no later approval may bring it back."""
        gone, refused = Desk(), Desk()
        gone.executor.target_now = Refused(Refusal.UNKNOWN)
        refused.executor.refusal = Refused(Refusal.WRONG_STATE)
        for desk, why in ((gone, Refusal.UNKNOWN), (refused, Refusal.WRONG_STATE)):
            proposal = await desk.proposed()

            assert Refused(why) == await desk.approve(proposal)
            assert ProposalState.VOID is desk.state(proposal)
            assert [] == list(desk.tables.commands)

    async def test_refuses_places_outside_of_the_scope(self) -> None:
        """It stays open for whoever may."""
        desk = Desk()
        desk.executor.target_now = Target(place=Place("Biak"), version=4)
        proposal = await desk.proposed()
        caller = a_caller(Role.APPROVER, operator=CHECKER, scope=Scope(frozenset({"Jayapura"})))

        answer = await desk.decide.approve(caller, 1, agreed=proposal.hash)

        assert Refused(Refusal.NOT_YOUR_SCOPE) == answer
        assert ProposalState.OPEN is desk.state(proposal)

    async def test_happens_once(self) -> None:
        """Of two checkers at the same time one has the effect, the other hears that it is done."""
        desk = Desk()
        proposal = await desk.proposed()

        answers = await asyncio.gather(
            desk.approve(proposal, by=CHECKER), desk.approve(proposal, by=OTHER)
        )

        assert 1 == len(desk.executor.done)
        assert 1 == answers.count(Refused(Refusal.DECIDED))

    async def test_refuses_a_proposal_that_is_not_there(self) -> None:
        """And what nothing here carries out."""
        desk = Desk()
        stranger = await desk.proposed(SET._replace(action="card.recover"))

        unknown = await desk.decide.approve(a_caller(Role.APPROVER), 99, agreed=bytes(32))
        assert Refused(Refusal.UNKNOWN) == unknown
        answer = await desk.approve(stranger)
        assert isinstance(answer, Refused)
        assert Refusal.UNKNOWN is answer.why

    async def test_does_nothing_that_the_audit_cannot_hold(self) -> None:
        """One transaction: the proposal is open as before, and nothing was done."""
        desk = Desk()
        proposal = await desk.proposed()
        desk.tables.audit_trouble = StoreUnavailable("the audit is away")

        with pytest.raises(StoreUnavailable):
            await desk.approve(proposal)

        assert ProposalState.OPEN is desk.state(proposal)
        assert [] == list(desk.tables.commands)

    async def test_is_undone_by_a_mistake_on_the_way(self) -> None:
        """Fail closed: no approval, no effect, whatever breaks where."""

        class Broken(NoteExecutor):
            async def execute(
                self, work: Work, act: Act, target: Target, author: Author
            ) -> Mapping[str, Json] | Refused:
                await super().execute(work, act, target, author)
                raise LookupError

        desk = Desk()
        proposal = await desk.proposed()
        broken = DecideProposal(desk.tables, {"product": Broken(target=Target(version=4))})

        with pytest.raises(LookupError):
            await broken.approve(a_caller(Role.APPROVER, operator=CHECKER), 1, agreed=proposal.hash)

        assert ProposalState.OPEN is desk.state(proposal)
        assert [] == list(desk.tables.commands)


class TestReject:
    async def test_keeps_reason_name_and_time(self) -> None:
        """And the proposal can never be approved."""
        desk = Desk()
        proposal = await desk.proposed()
        caller = a_caller(Role.APPROVER, operator=CHECKER)

        answer = await desk.decide.reject(caller, 1, reason="too high")

        assert Done({}) == answer
        decided = desk.tables.proposals[1]
        assert (ProposalState.REJECTED, "too high", "operator2", NOON_MS) == (
            decided.state,
            decided.decision,
            decided.checker_login,
            decided.decided_ms,
        )
        result, content = desk.noted()
        assert ("rejected", "too high") == (result, content["reason"])
        assert Refused(Refusal.DECIDED) == await desk.approve(proposal, by=OTHER)
        assert [] == desk.executor.done

    async def test_wants_a_reason(self) -> None:
        """Blanks are none."""
        desk = Desk()
        proposal = await desk.proposed()

        answer = await desk.decide.reject(a_caller(Role.APPROVER, operator=CHECKER), 1, reason=" ")

        assert Refused(Refusal.REASON_NEEDED) == answer
        assert ProposalState.OPEN is desk.state(proposal)

    async def test_refuses_the_maker_and_other_roles(self) -> None:
        """As an approval does."""
        desk = Desk()
        proposal = await desk.proposed()

        own = await desk.decide.reject(a_caller(Role.APPROVER, operator=MAKER), 1, reason="mine")
        other = await desk.decide.reject(
            a_caller(Role.ADMINISTRATOR, operator=OTHER), 1, reason="no"
        )

        assert Refused(Refusal.MAKER_IS_CHECKER) == own
        assert Refused(Refusal.NOT_YOUR_ROLE) == other
        assert ProposalState.OPEN is desk.state(proposal)
        assert ["refused", "refused"] == [row.result for row in desk.tables.audit]
