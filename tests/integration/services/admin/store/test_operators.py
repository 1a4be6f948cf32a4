"""The operators' table on a real PostgreSQL: rows as they were written, and one at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest

from libs.fakes.clock import FixedClock
from libs.pg import Pool, open_pool
from services.admin.domain.operator import Operator
from services.admin.domain.role import Role, Scope
from services.admin.store.work import PostgresTransactions
from tests.integration.services.admin.approvals import MIGRATIONS, NOON_MS, MakeDatabase

pytestmark = pytest.mark.postgres

WHOLE: Final = Operator(
    login="ani",
    name="Ani",
    role=Role.APPROVER,
    scope=Scope(frozenset({"Merauke", "Boven Digoel"}), frozenset({"buma"})),
    version=3,
    password_hash="hash",
    enrol_hash=bytes(range(32)),
    enrol_until_ms=NOON_MS + 1,
    factor_sealed=b"sealed",
    factor_offered=b"offered",
    factor_step=9,
    failed=2,
    locked_until_ms=NOON_MS + 123,
)
POLLS_MAX: Final = 500


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    """An empty table."""
    async with open_pool(await make_database(MIGRATIONS), name="test operators") as opened:
        yield opened


class TestRows:
    async def test_come_back_as_they_were_written(self, pool: Pool) -> None:
        """Added, and changed in every column; also what is not there."""
        transactions = PostgresTransactions(pool, FixedClock(NOON_MS))
        bare = Operator(login="ani", name="A", role=Role.AUDITOR, version=4, is_disabled=True)
        async with transactions.begin() as work:
            number = await work.operators.add(WHOLE)
            assert replace(WHOLE, id=number) == await work.operators.read("ani")
            await work.operators.write(replace(bare, id=number))
            assert replace(bare, id=number) == await work.operators.find("ani")
            assert None is await work.operators.find("nobody")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, 1),
            ({"is_disabled": True}, 0),
            ({"password_hash": ""}, 0),
            ({"factor_sealed": b""}, 0),
            ({"scope": Scope(frozenset({"Merauke"}))}, 0),
            ({"scope": Scope(frozenset(), frozenset({"buma"}))}, 0),
            ({"role": Role.FINANCE}, 0),
            ({"locked_until_ms": NOON_MS + 9}, 1),
        ],
    )
    async def test_are_counted_as_the_domain_says(
        self, pool: Pool, change: dict[str, object], expected: int
    ) -> None:
        """Who can act everywhere: the same in SQL as in Operator.can_act_everywhere."""
        transactions = PostgresTransactions(pool, FixedClock(NOON_MS))
        known = {"scope": Scope(), **change}
        one = replace(WHOLE, **known)  # type: ignore[arg-type]  # -- by name
        async with transactions.begin() as work:
            number = await work.operators.add(one)
            found = [
                await work.operators.others_everywhere(Role.APPROVER, but=b) for b in (0, number)
            ]

        assert [expected, 0] == found
        assert one.can_act_everywhere == bool(expected) or one.role is not Role.APPROVER


class TestHold:
    async def test_lets_one_change_rights_at_a_time(self, pool: Pool) -> None:
        """The second one waits in the database until the first one has ended."""
        transactions = PostgresTransactions(pool, FixedClock(NOON_MS))

        async def hold() -> None:
            async with transactions.begin() as work:
                await work.operators.hold()

        async with transactions.begin() as work:
            await work.operators.hold()
            second = asyncio.create_task(hold())
            for _ in range(POLLS_MAX):
                if await pool.read(
                    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                ):
                    break
                await asyncio.sleep(0.01)
            assert not second.done()

        await asyncio.wait_for(second, 10)
