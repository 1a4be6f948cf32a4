"""Doing what an operator asks: who may, where, alone or by two, and what the audit says."""

import json

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import NoteExecutor, a_caller
from libs.pg import StoreUnavailable
from services.admin.domain.act import Act, Target
from services.admin.domain.proposal import ProposalState
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place, Role, Scope
from services.admin.handlers.perform_act import Done, PerformAct, Proposed

ADD = Act("outlet.add", "outlet/BUMA1", {"name": "Kios"})
CARD = "4000001234567899"
SET = Act("product.set", "product/standard", {"ceiling": 1}, "because", "paper 7")


class Desk:
    """PerformAct over memory, with one executor for everything."""

    def __init__(self, *, has_approver: bool = True) -> None:
        self.tables = MemoryTransactions(has_approver=has_approver)
        self.executor = NoteExecutor(target=Target(version=4))
        kinds = ("outlet", "product", "operator")
        self.perform = PerformAct(self.tables, dict.fromkeys(kinds, self.executor))

    def audited(self) -> list[tuple[str, str, str, str]]:
        """Return who did what on what, and what became of it."""
        return [(row.login, row.action, row.entity, row.result) for row in self.tables.audit]


class TestPerformAct:
    async def test_does_what_one_person_may(self) -> None:
        """With its row of the audit."""
        desk = Desk()

        answer = await desk.perform(a_caller(Role.OPERATOR), ADD)

        assert Done({"entity": "outlet/BUMA1"}) == answer
        assert [("operator1", "outlet.add", "outlet/BUMA1", "done")] == desk.audited()
        assert {"content": {"name": "Kios"}} == json.loads(desk.tables.audit[0].content)
        assert 1 == len(desk.tables.commands)

    async def test_refuses_other_roles_and_notes_that_they_tried(self) -> None:
        """Before anything is looked up: who may not do it learns nothing of what there is."""
        desk = Desk()
        desk.executor.target_now = Refused(Refusal.UNKNOWN)

        answer = await desk.perform(a_caller(Role.AUDITOR), ADD)

        assert Refused(Refusal.NOT_YOUR_ROLE) == answer
        assert [("operator1", "outlet.add", "outlet/BUMA1", "refused")] == desk.audited()
        assert "NOT_YOUR_ROLE" == json.loads(desk.tables.audit[0].content)["why"]
        assert [] == desk.executor.done

    async def test_refuses_an_unknown_action_to_everybody(self) -> None:
        """It is nobody's."""
        desk = Desk()

        answers = [
            await desk.perform(a_caller(role), ADD._replace(action="outlet.burn")) for role in Role
        ]

        assert {Refused(Refusal.NOT_YOUR_ROLE)} == set(answers)
        assert [] == desk.executor.done

    async def test_refuses_what_nothing_here_carries_out(self) -> None:
        """A rule without an executor ends in a refusal, not in a mistake of ours."""
        desk = Desk()

        answer = await desk.perform(a_caller(Role.OPERATOR), ADD._replace(action="card.block"))

        assert isinstance(answer, Refused)
        assert Refusal.UNKNOWN is answer.why

    @pytest.mark.parametrize(
        "act",
        [
            ADD._replace(reason=f"for {CARD}"),
            ADD._replace(document=CARD),
            ADD._replace(content={"name": f"Kios {CARD}"}),
        ],
    )
    async def test_keeps_no_card_number_in_a_text(self, act: Act) -> None:
        """Texts are kept for ever: neither the thing nor the audit takes one over."""
        desk = Desk()

        answer = await desk.perform(a_caller(Role.OPERATOR), act)

        assert isinstance(answer, Refused)
        assert Refusal.NOT_ALLOWED is answer.why
        assert [] == desk.executor.done
        assert [("operator1", "outlet.add", "outlet/BUMA1", "refused")] == desk.audited()
        assert CARD not in repr(desk.tables.audit)

    async def test_refuses_places_outside_of_the_scope(self) -> None:
        """Where the thing is, not where the asker says that it is."""
        desk = Desk()
        desk.executor.target_now = Target(place=Place("Biak"))
        caller = a_caller(Role.OPERATOR, scope=Scope(frozenset({"Jayapura"})))

        answer = await desk.perform(caller, ADD)

        assert Refused(Refusal.NOT_YOUR_SCOPE) == answer
        assert "refused" == desk.tables.audit[0].result
        assert [] == desk.executor.done

    async def test_hands_on_what_the_executor_refuses(self) -> None:
        """Noted like any other attempt."""
        desk = Desk()
        desk.executor.refusal = Refused(Refusal.EXISTS, "since yesterday")

        answer = await desk.perform(a_caller(Role.OPERATOR), ADD)

        assert Refused(Refusal.EXISTS, "since yesterday") == answer
        noted = json.loads(desk.tables.audit[0].content)
        assert ("EXISTS", "since yesterday") == (noted["why"], noted["detail"])
        assert [] == list(desk.tables.commands)

    async def test_keeps_for_a_second_person_what_needs_two(self) -> None:
        """Nothing is done yet; the proposal holds all that was asked and the version it is of."""
        desk = Desk()

        answer = await desk.perform(a_caller(Role.ADMINISTRATOR, operator=3), SET)

        assert Proposed(1) == answer
        proposal = desk.tables.proposals[1]
        assert (SET, 4, 3, ProposalState.OPEN) == (
            proposal.act,
            proposal.version,
            proposal.maker,
            proposal.state,
        )
        assert [("operator3", "product.set", "product/standard", "proposed")] == desk.audited()
        assert [] == desk.executor.done

    async def test_wants_a_reason_where_two_are_needed(self) -> None:
        """The second person must know why; blanks are none."""
        desk = Desk()

        answer = await desk.perform(a_caller(Role.ADMINISTRATOR), SET._replace(reason="  "))

        assert Refused(Refusal.REASON_NEEDED) == answer
        assert {} == desk.tables.proposals

    async def test_lets_one_person_add_the_first_approver(self) -> None:
        """As long as there was never one; then it takes two."""
        add = Act("operator.add", "operator/budi", {"role": "approver"}, "first day")
        before, after = Desk(has_approver=False), Desk()

        assert isinstance(await before.perform(a_caller(Role.ADMINISTRATOR), add), Done)
        assert isinstance(await after.perform(a_caller(Role.ADMINISTRATOR), add), Proposed)

    async def test_does_nothing_that_the_audit_cannot_hold(self) -> None:
        """One transaction: without the row there is no change."""
        desk = Desk()
        desk.tables.audit_trouble = StoreUnavailable("the audit is away")

        with pytest.raises(StoreUnavailable):
            await desk.perform(a_caller(Role.OPERATOR), ADD)
        with pytest.raises(StoreUnavailable):
            await desk.perform(a_caller(Role.ADMINISTRATOR), SET)

        assert [] == list(desk.tables.commands)
        assert {} == desk.tables.proposals


class TestRefuseRole:
    async def test_notes_who_tried_a_door_that_is_not_theirs(self) -> None:
        """With the door's own name."""
        desk = Desk()

        refused = await desk.perform.refuse_role(
            a_caller(Role.FINANCE), ["outlet.pause", "outlet.resume"], "POST /v1/outlets"
        )

        assert Refused(Refusal.NOT_YOUR_ROLE) == refused
        assert [("operator1", "outlet.pause", "POST /v1/outlets", "refused")] == desk.audited()

    async def test_is_silent_about_who_may(self) -> None:
        """One of several actions is enough here; the exact one is asked later."""
        desk = Desk()
        caller = a_caller(Role.ADMINISTRATOR)

        assert None is await desk.perform.refuse_role(caller, ["outlet.add", "group.add"], "there")
        assert [] == desk.audited()
