"""The first administrator, and the way back in, on tables in memory."""

from dataclasses import replace
from typing import Final

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.sign_in import PlainPasswords
from services.admin.domain.enrolment import may_enrol
from services.admin.domain.operator import Operator
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.init_operators import InitOperators

NOW_MS: Final = 1_795_600_000_000
PASSWORD: Final = "sagu-dan-ikan-7"


class Machine:
    """An empty table and who can reach it."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW_MS)
        self.tables = MemoryTransactions(self.clock)
        self.init = InitOperators(self.tables, PlainPasswords(), self.clock)


class TestBegin:
    async def test_makes_one_administrator_who_can_act_at_once(self) -> None:
        """Everywhere, with the password that was given; and the audit begins with it."""
        machine = Machine()

        await machine.init.begin("root", "Root", PASSWORD)

        [row] = machine.tables.people.operators.values()
        assert (Role.ADMINISTRATOR, True) == (row.role, row.can_act)
        [noted] = machine.tables.audit
        assert ("operator.init", "operator/root", "done") == (
            noted.action, noted.entity, noted.result,
        )  # fmt: skip
        assert PASSWORD not in noted.content

    async def test_is_refused_once_there_is_anybody(self) -> None:
        """The second one changes nothing and is written down."""
        machine = Machine()
        await machine.init.begin("root", "Root", PASSWORD)

        found = await machine.init.begin("other", "Other", PASSWORD)

        assert isinstance(found, Refused)
        assert Refusal.EXISTS is found.why
        assert {"root"} == set(machine.tables.people.operators)
        assert "refused" == machine.tables.audit[-1].result

    @pytest.mark.parametrize(("login", "password"), [("root", "short"), ("R", PASSWORD)])
    async def test_takes_no_weak_password_and_no_other_login(
        self, login: str, password: str
    ) -> None:
        """There is no default either."""
        machine = Machine()

        assert isinstance(await machine.init.begin(login, "Root", password), Refused)
        assert {} == machine.tables.people.operators


class TestRescue:
    async def test_gives_a_code_and_ends_what_was_before(self) -> None:
        """The last administrator has lost the password: a code that works, and a row of audit."""
        machine = Machine()
        await machine.init.begin("root", "Root", PASSWORD)

        code = await machine.init.rescue("root", "lost the paper")

        row = machine.tables.people.operators["root"]
        assert isinstance(code, str)
        assert may_enrol(row, code, NOW_MS)
        assert ("", 2) == (row.password_hash, row.version)
        assert "lost the paper" in machine.tables.audit[-1].content
        assert code.replace("-", "") not in str(machine.tables.audit)

    async def test_is_for_those_who_may_come_back(self) -> None:
        """Nobody unknown and nobody disabled."""
        machine = Machine()
        gone = Operator(login="gone", name="Gone", role=Role.AUDITOR)
        async with machine.tables.begin() as work:
            await work.operators.hold()
            await work.operators.add(replace(gone, is_disabled=True))

        for login, why in (("nobody", Refusal.UNKNOWN), ("gone", Refusal.WRONG_STATE)):
            found = await machine.init.rescue(login, "because")
            assert isinstance(found, Refused)
            assert why is found.why
