"""Changing rights on tables in memory: who may not lose them, and what ends with them."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.operators import a_caller
from libs.registry.entities import EntityStatus, OutletGroup
from libs.registry.records import write_change
from services.admin.domain.act import Act
from services.admin.domain.enrolment import may_enrol
from services.admin.domain.operator import Operator
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller, Role, Scope
from services.admin.domain.session import Session
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.manage_operators import ManageOperators
from services.admin.handlers.perform_act import Answer, Done, PerformAct, Proposed

NOW_MS: Final = 1_795_600_000_000
ROOT: Final = Operator(login="root", name="Root", role=Role.ADMINISTRATOR, password_hash="x")
PEOPLE: Final = (
    ROOT,
    replace(ROOT, login="appi", role=Role.APPROVER, factor_sealed=b"y"),
    replace(ROOT, login="ani", role=Role.OPERATOR),
)


class Office:
    """An administrator, an approver, an operator, and what carries changes out."""

    def __init__(self, *, has_approver: bool | None = None) -> None:
        self.clock = FixedClock(NOW_MS)
        self.tables = MemoryTransactions(self.clock, has_approver=has_approver)
        executors = {"operator": ManageOperators(self.clock)}
        self.perform = PerformAct(self.tables, executors)
        self.decide = DecideProposal(self.tables, executors)

    async def open(self, *people: Operator) -> "Office":
        """Let people in, each with a session."""
        async with self.tables.begin() as work:
            await work.operators.hold()
            for one in people:
                number = await work.operators.add(one)
                await work.operators.open_session(_session(number))
        return self

    def row(self, login: str) -> Operator:
        """A person as they stand."""
        return self.tables.people.operators[login]

    def caller(self, login: str) -> Caller:
        """A person who asks."""
        row = self.row(login)
        return a_caller(row.role, operator=row.id)._replace(login=login)

    async def ask(self, verb: str, login: str, *, by: str = "root", **content: Any) -> Answer:
        """Ask for a change."""
        act = Act(f"operator.{verb}", f"operator/{login}", content, "because")
        return await self.perform(self.caller(by), act)

    async def both(self, verb: str, login: str, **content: Any) -> Done | Refused:
        """Ask for a change as the administrator, and approve it as the approver."""
        asked = await self.ask(verb, login, **content)
        assert isinstance(asked, Proposed)
        agreed = self.tables.proposals[asked.number].hash
        return await self.decide.approve(self.caller("appi"), asked.number, agreed=agreed)

    def has_session(self, login: str) -> bool:
        """Whether the session of a person is still good."""
        return bytes([self.row(login).id]) not in self.tables.people.revoked_ms


@pytest.fixture
async def office() -> Office:
    """All three of them."""
    return await Office().open(*PEOPLE)


class TestAdd:
    async def test_gives_a_code_once_that_opens_the_login(self, office: Office) -> None:
        """The code is in the answer; in the table is its hash, in the audit nothing of it."""
        done = await office.both("add", "new", name="New", role="finance", regions=["Merauke"])

        assert isinstance(done, Done)
        code = str(done.result["enrolment_code"])
        row = office.row("new")
        assert may_enrol(row, code, NOW_MS)
        assert not row.can_sign_in
        assert (Role.FINANCE, Scope(frozenset({"Merauke"}))) == (row.role, row.scope)
        assert code not in str(office.tables.audit)
        assert code.replace("-", "") not in str(office.tables.audit)

    async def test_needs_one_person_while_nobody_can_approve(self) -> None:
        """The first approver has to come from somebody; an approver who cannot act is none yet."""
        of_region = replace(PEOPLE[1], login="b", scope=Scope(frozenset({"Merauke"})))
        office = await Office().open(ROOT, replace(PEOPLE[1], factor_sealed=b""), of_region)

        assert isinstance(await office.ask("add", "new", name="New", role="approver"), Done)
        assert isinstance(await office.ask("role", "appi", role="auditor"), Proposed)

    async def test_refuses_a_login_that_was_ever_given(self, office: Office) -> None:
        """What a login did in the past stays one person's."""
        found = await office.ask("add", "ani", name="Other", role="operator")

        assert Refusal.EXISTS is refusal(found)

    async def test_refuses_an_outlet_group_that_is_not_there(self, office: Office) -> None:
        """A scope with a slip of the pen would be nobody's."""
        asked: dict[str, Any] = {"name": "New", "role": "operator", "groups": ["buma"]}
        assert Refusal.NOT_ALLOWED is refusal(await office.ask("add", "new", **asked))

        group = OutletGroup("buma", "BUMA", EntityStatus.ACTIVE)
        async with office.tables.begin() as work:
            await work.registry.write([write_change(group, version=1, changed_ms=NOW_MS)])
        assert isinstance(await office.ask("add", "new", **asked), Proposed)


class TestRole:
    async def test_needs_two_people(self, office: Office) -> None:
        """Nothing changes until the second one agrees; then it does, with a new version."""
        asked = await office.ask("role", "ani", role="auditor")
        assert isinstance(asked, Proposed)
        assert Role.OPERATOR is office.row("ani").role

        agreed = office.tables.proposals[asked.number].hash
        await office.decide.approve(office.caller("appi"), asked.number, agreed=agreed)

        assert (Role.AUDITOR, 2) == (office.row("ani").role, office.row("ani").version)

    async def test_is_void_once_the_person_has_changed(self, office: Office) -> None:
        """Two proposals for one person: the second was about somebody as they were."""
        first = await office.ask("role", "ani", role="auditor")
        second = await office.ask("role", "ani", role="administrator")
        assert isinstance(first, Proposed)
        assert isinstance(second, Proposed)
        appi = office.caller("appi")

        hashes = {number: one.hash for number, one in office.tables.proposals.items()}
        await office.decide.approve(appi, first.number, agreed=hashes[first.number])
        found = await office.decide.approve(appi, second.number, agreed=hashes[second.number])

        assert Refused(Refusal.CHANGED_MEANWHILE) == found
        assert Role.AUDITOR is office.row("ani").role

    async def test_is_never_ones_own(self, office: Office) -> None:
        """Who approves it gets no other role by it, and who asks for it is told at once."""
        await office.open(
            replace(PEOPLE[1], login="other", role=Role.ADMINISTRATOR),
            replace(PEOPLE[1], login="b"),
        )
        own = await office.ask("role", "other", by="other", role="auditor")
        asked = await office.ask("role", "appi", by="other", role="auditor")
        assert isinstance(asked, Proposed)
        agreed = office.tables.proposals[asked.number].hash

        found = await office.decide.approve(office.caller("appi"), asked.number, agreed=agreed)

        assert (Refusal.NOT_ALLOWED, Refusal.NOT_ALLOWED) == (refusal(own), refusal(found))
        assert Role.AUDITOR not in {office.row(login).role for login in ("appi", "other")}

    async def test_makes_a_new_approver_enrol_a_factor_first(self, office: Office) -> None:
        """Without one they could do nothing; password and session of before are over."""
        done = await office.both("role", "ani", role="approver")

        assert isinstance(done, Done)
        assert may_enrol(office.row("ani"), str(done.result["enrolment_code"]), NOW_MS)
        assert not office.has_session("ani")

    async def test_that_changes_nothing_is_refused(self, office: Office) -> None:
        """A second person's time is worth something."""
        assert Refusal.NOT_ALLOWED is refusal(await office.ask("role", "ani", role="operator"))


class TestReset:
    async def test_ends_password_factor_and_sessions(self, office: Office) -> None:
        """What was stolen is of no use any more."""
        done = await office.both("reset", "ani")

        assert isinstance(done, Done)
        assert not office.row("ani").can_sign_in
        assert not office.has_session("ani")
        assert may_enrol(office.row("ani"), str(done.result["enrolment_code"]), NOW_MS)


class TestDisable:
    async def test_needs_one_person_and_is_at_once(self, office: Office) -> None:
        """Stopping somebody waits for nobody."""
        assert isinstance(await office.ask("disable", "ani"), Done)
        assert office.row("ani").is_disabled
        assert not office.has_session("ani")

    async def test_is_for_ever(self, office: Office) -> None:
        """No other change brings somebody back."""
        await office.ask("disable", "ani")

        found = [
            refusal(await office.ask(verb, "ani", **content))
            for verb, content in (("disable", {}), ("reset", {}), ("role", {"role": "auditor"}))
        ]

        assert [Refusal.WRONG_STATE] * 3 == found


class TestLast:
    @pytest.mark.parametrize("login", ["root", "appi"])
    async def test_one_who_can_act_stays(self, office: Office, login: str) -> None:
        """The last administrator and the last approver keep role, scope, password and login."""
        changes: list[tuple[str, dict[str, Any]]] = [
            ("disable", {}), ("reset", {}), ("role", {"role": "auditor"}),
            ("role", {"regions": ["Merauke"]}),
        ]  # fmt: skip
        found = [refusal(await office.ask(verb, login, **content)) for verb, content in changes]

        own = Refusal.NOT_ALLOWED if login == "root" else Refusal.WRONG_STATE  # Root asks.
        assert [Refusal.WRONG_STATE, Refusal.WRONG_STATE, own, own] == found

    async def test_but_one_may_go(self, office: Office) -> None:
        """With another one it works; who has not enrolled, or is of one region, does not count."""
        await office.open(
            replace(ROOT, login="second", password_hash=""),
            replace(ROOT, login="fourth", scope=Scope(frozenset({"Merauke"}))),
        )
        assert Refusal.WRONG_STATE is refusal(await office.ask("disable", "root"))

        await office.open(replace(ROOT, login="third"))
        assert isinstance(await office.ask("disable", "root", by="third"), Done)


class TestScope:
    async def test_of_an_administrator_gives_no_way_to_more(self, office: Office) -> None:
        """Who may act in one region may not change anybody: rights are of everywhere."""
        bound = office.caller("root")._replace(scope=Scope(frozenset({"Merauke"})))
        act = Act("operator.disable", "operator/ani", {}, "because")

        assert Refused(Refusal.NOT_YOUR_SCOPE) == await office.perform(bound, act)
        assert "NOT_YOUR_SCOPE" == json.loads(office.tables.audit[-1].content)["why"]


def _session(number: int) -> Session:
    return Session(bytes([number]), number, 0, 1, has_factor=False)


def refusal(found: Answer | Done | Refused) -> Refusal:
    """Why, of one that must be refused."""
    assert isinstance(found, Refused)
    return found.why
