"""The registry's table on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.fakes.registry import a_terminal
from libs.pg import Pool, StoreConflict, open_pool
from libs.registry import EntityStatus, write_change
from services.admin.store.registry import RegistryStore

pytestmark = pytest.mark.postgres

CHANGED_MS = 1_795_489_200_123


@pytest.fixture
async def pool(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[Pool]:
    dsn = await make_database({"admin": Path("services/admin/migrations")})
    async with open_pool(dsn, name="tests", size=4) as opened:
        yield opened


def a_change(
    number: int, version: int, status: EntityStatus = EntityStatus.ACTIVE
) -> RegistryChange:
    return write_change(a_terminal(number, status=status), version=version, changed_ms=CHANGED_MS)


async def rows_of(store: RegistryStore, *, after: int = 0) -> list[RegistryChange]:
    rows = await store.read_changes(after=after, rows_max=1_000)
    return [RegistryChange.FromString(row.record) for row in rows]


class TestRecordChanges:
    async def test_keeps_each_record_as_it_is_published(self, pool: Pool) -> None:
        """What is read back is the very record, in the order in which changes came."""
        store = RegistryStore(pool)
        changes = [a_change(2, 1), a_change(1, 1)]

        assert 2 == await store.record_changes(changes)
        assert changes == await rows_of(store)

    async def test_ignores_versions_that_are_not_higher(self, pool: Pool) -> None:
        """Seeding twice, or an older record, changes nothing."""
        store = RegistryStore(pool)
        paused = a_change(1, 2, EntityStatus.PAUSED)
        await store.record_changes([paused])

        assert 0 == await store.record_changes([paused, a_change(1, 1)])
        assert [paused] == await rows_of(store)

    async def test_takes_the_highest_version_of_one_call(self, pool: Pool) -> None:
        """Several changes of one entity in one call leave the latest."""
        store = RegistryStore(pool)
        latest = a_change(1, 3)

        assert 1 == await store.record_changes([a_change(1, 2), latest, a_change(1, 1)])
        assert [latest] == await rows_of(store)

    async def test_moves_a_changed_row_behind_all_others(self, pool: Pool) -> None:
        """Whoever has read up to a position finds every later change behind it."""
        store = RegistryStore(pool)
        await store.record_changes([a_change(1, 1), a_change(2, 1)])
        seen = (await store.read_changes(after=0, rows_max=9))[-1].position

        changed = a_change(1, 2)
        await store.record_changes([changed])

        assert [changed] == await rows_of(store, after=seen)
        assert [a_change(2, 1), changed] == await rows_of(store)

    async def test_writes_all_or_nothing(self, pool: Pool) -> None:
        """A change that cannot be refuses its whole call."""
        store = RegistryStore(pool)

        with pytest.raises(StoreConflict):
            await store.record_changes([a_change(1, 1), a_change(2, 0)])

        assert [] == await rows_of(store)

    async def test_lets_no_reader_pass_a_change_that_commits_later(self, pool: Pool) -> None:
        """Writers at once and a reader that goes on from its position: it misses nothing."""
        store = RegistryStore(pool)
        seen: list[str] = []
        done = asyncio.Event()

        async def follow() -> None:
            position = 0
            while True:
                is_last = done.is_set()
                for row in await store.read_changes(after=position, rows_max=1_000):
                    position = row.position
                    seen.append(row.entity)
                if is_last:
                    return

        async def write(first: int) -> None:
            for number in range(first, first + 40):
                await store.record_changes([a_change(number, 1)])

        reading = asyncio.create_task(follow())
        await asyncio.gather(write(1_000), write(2_000), write(3_000))
        done.set()
        await reading

        assert 120 == len(seen)
        assert 120 == len(set(seen))
