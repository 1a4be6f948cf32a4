"""A registry that was restored takes over what its readers follow already."""

from libs.bus import MemoryBus, Outgoing, TopicSettings
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.contracts.topics import REGISTRY
from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.registry import EntityStatus, Outlet, write_change, write_published
from services.admin.handlers.catch_up_registry import CatchUpRegistry


def an_outlet(code: str, number: int, *, version: int, name: str = "Koperasi") -> RegistryChange:
    outlet = Outlet(
        code=code, number=number, name=name, groups=frozenset(), status=EntityStatus.ACTIVE
    )
    return write_change(outlet, version=version, changed_ms=1)


class Desk:
    """A table and a topic."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.transactions = MemoryTransactions(self.clock)
        self.bus = MemoryBus({REGISTRY: TopicSettings(partitions=1)}, self.clock)

    async def publish(self, *changes: RegistryChange) -> None:
        """Let changes stand on the topic, behind the mark of a full publication."""
        await self.bus.start()
        ended = write_published((await self.bus.topic(REGISTRY)).id, entities=0)
        await self.bus.publish(
            [
                Outgoing(REGISTRY, 0, each.entity.encode(), each.SerializeToString(), b"")
                for each in (ended, *changes)
            ],
            timeout_ms=1_000,
        )

    async def write(self, *changes: RegistryChange) -> None:
        """Let changes stand in the table."""
        async with self.transactions.begin() as work:
            await work.registry.write(changes)

    async def catch_up(self) -> int:
        """Catch up."""
        return await CatchUpRegistry(self.transactions, self.bus)()

    async def table(self) -> dict[str, tuple[int, str, int]]:
        """Return version, name and number of each outlet."""
        async with self.transactions.begin() as work:
            found = await work.registry.list("outlet", after="", rows_max=100)
        return {each.entity: (each.version, each.outlet.name, each.outlet.number) for each in found}


class TestCatchUpRegistry:
    async def test_takes_over_what_the_table_lost(self) -> None:
        """An outlet that was made or changed after the backup is back; the audit names both."""
        desk = Desk()
        await desk.write(an_outlet("A", 1, version=1), an_outlet("B", 2, version=7))
        await desk.publish(
            an_outlet("A", 1, version=1),
            an_outlet("B", 2, version=8, name="Baru"),
            an_outlet("C", 3, version=1),
        )

        assert (2, 0) == (await desk.catch_up(), await desk.catch_up())
        assert {
            "outlet/A": (1, "Koperasi", 1),
            "outlet/B": (8, "Baru", 2),
            "outlet/C": (1, "Koperasi", 3),
        } == await desk.table()
        [row] = desk.transactions.audit
        assert ("registry.recover", "done", "") == (row.action, row.result, row.login)
        assert '"outlet/B","outlet/C"' in row.content

    async def test_lets_what_was_changed_since_be_heard(self) -> None:
        """Under a version that readers have already they would ignore it: it gets the next one."""
        desk = Desk()
        await desk.write(an_outlet("A", 1, version=5, name="Sesudah"))
        await desk.publish(an_outlet("A", 1, version=5, name="Sebelum"))

        assert 1 == await desk.catch_up()
        assert {"outlet/A": (6, "Sesudah", 1)} == await desk.table()

    async def test_gives_no_number_twice(self) -> None:
        """The account of a lost outlet is not a new one's, drawn before or after this."""
        desk = Desk()
        await desk.write(an_outlet("D", 3, version=1))
        await desk.publish(an_outlet("C", 3, version=1))
        await desk.catch_up()
        async with desk.transactions.begin() as work:
            drawn = await work.registry.outlet_numbers(1)

        assert {
            "outlet/C": (1, "Koperasi", 3),
            "outlet/D": (2, "Koperasi", 4),
        } == await desk.table()
        assert 5 == drawn

    async def test_writes_nothing_where_nothing_was_lost(self) -> None:
        """A start as every day: the table is ahead of its topic, or level with it."""
        desk = Desk()
        later = an_outlet("A", 1, version=2)
        later.MergeFromString(b"\xe2\x76\x08tomorrow")  # A field of another version.
        await desk.write(an_outlet("A", 1, version=2), an_outlet("B", 2, version=2))
        await desk.publish(later, an_outlet("B", 2, version=1))

        assert 0 == await desk.catch_up()
        assert [] == desk.transactions.audit
