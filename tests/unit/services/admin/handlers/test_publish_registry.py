"""The relay from the registry's table to its topic."""

from collections.abc import Sequence

import pytest

from libs.bus import MemoryBus, Outgoing, SendUnknown, TopicSettings
from libs.contracts.envelope import read_envelope
from libs.contracts.topics import REGISTRY, REGISTRY_CHANGE
from libs.fakes.clock import FixedClock
from libs.registry import PUBLISHED, write_published
from services.admin.handlers.publish_registry import CatchUp, PublishRegistry, RelayHeld
from services.admin.ports import RegistryRow


class MemoryRows:
    """The registry's table in memory."""

    def __init__(self, *entities: str) -> None:
        self.rows: list[RegistryRow] = []
        for entity in entities:
            self.change(entity)

    def change(self, entity: str) -> None:
        """Let an entity change: it takes the next position."""
        position = self.rows[-1].position + 1 if self.rows else 1
        self.rows = [row for row in self.rows if row.entity != entity]
        self.rows.append(RegistryRow(position, entity, f"{entity}@{position}".encode()))

    async def read_changes(self, *, after: int, rows_max: int) -> Sequence[RegistryRow]:
        """Return the rows changed after a position, in order."""
        return [row for row in self.rows if row.position > after][:rows_max]


class MemoryRelay:
    """Whose turn it is, as the test says; None: another's."""

    def __init__(self) -> None:
        self.number: int | None = 1
        self.asked_for: set[str] = set()

    async def turn(self, log: str) -> int | None:
        """Return the number of our turn."""
        self.asked_for.add(log)
        return self.number


class FailingBus(MemoryBus):
    """A memory bus whose next publication may be lost, and that may forget everything."""

    def __init__(self) -> None:
        self.fails = False
        self.fails_after = 0
        super().__init__({REGISTRY: TopicSettings(partitions=1)}, FixedClock())

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Publish, or say that nobody knows."""
        self.fails_after -= 1
        if self.fails or self.fails_after == 0:
            raise SendUnknown("nobody knows")
        await super().publish(records, timeout_ms=timeout_ms)

    async def forget(self) -> None:
        """Die and come back empty, with other topic ids."""
        await self.stop()
        super().__init__({REGISTRY: TopicSettings(partitions=1)}, FixedClock())
        await self.start()


async def a_bus() -> FailingBus:
    bus = FailingBus()
    await bus.start()
    return bus


async def nothing_lost() -> int:
    """The table is no copy of an earlier one."""
    return 0


def a_relay(
    rows: MemoryRows,
    bus: MemoryBus,
    relay: MemoryRelay | None = None,
    clock: FixedClock | None = None,
    catch_up: CatchUp | None = None,
) -> PublishRegistry:
    return PublishRegistry(
        rows,
        relay or MemoryRelay(),
        bus,
        clock or FixedClock(),
        catch_up or nothing_lost,
        rows_max=2,
        send_timeout_ms=1_000,
        again_every_ms=60_000,
    )


async def all_published(bus: MemoryBus) -> list[tuple[bytes, bytes]]:
    reader = await bus.open_reader(REGISTRY, starts={0: None})
    taken = await reader.take(wait_ms=0, records_max=100)
    return [(record.key, record.value) for record in taken.get(0, ())]


async def published(bus: MemoryBus) -> list[bytes]:
    """Return the rows that were published."""
    return [value for key, value in await all_published(bus) if key != PUBLISHED.encode()]


async def the_end(bus: MemoryBus, entities: int) -> tuple[bytes, bytes]:
    """Return the record that ends a full publication to the log that the topic is now."""
    ended = write_published((await bus.topic(REGISTRY)).id, entities=entities)
    return PUBLISHED.encode(), ended.SerializeToString()


class TestPublishRegistry:
    async def test_publishes_every_row_at_first(self) -> None:
        """A start publishes the whole table in the order of its changes, in bounded pieces."""
        bus = await a_bus()

        assert 3 == await a_relay(MemoryRows("a", "b", "c"), bus)()
        assert [b"a@1", b"b@2", b"c@3"] == await published(bus)

    async def test_gives_each_record_its_entity_as_key(self) -> None:
        """The topic is compacted by entity; the envelope names the record's schema."""
        bus = await a_bus()
        await a_relay(MemoryRows("outlet/1"), bus)()

        reader = await bus.open_reader(REGISTRY, starts={0: None})
        [record, _] = (await reader.take(wait_ms=0, records_max=9))[0]

        assert (b"outlet/1", REGISTRY_CHANGE) == (
            record.key,
            read_envelope(record.envelope).schema,
        )

    async def test_goes_on_with_what_has_changed(self) -> None:
        """The next turn publishes the changes since, and the one after it nothing."""
        bus, rows = await a_bus(), MemoryRows("a", "b")
        relay = a_relay(rows, bus)
        await relay()
        rows.change("a")

        assert (1, 0) == (await relay(), await relay())
        assert b"a@3" == (await published(bus))[-1]

    async def test_publishes_everything_again_on_a_new_log(self) -> None:
        """A bus that has forgotten everything hears everything."""
        bus, rows = await a_bus(), MemoryRows("a", "b")
        relay = a_relay(rows, bus)
        await relay()
        await bus.forget()

        assert 2 == await relay()
        assert [b"a@1", b"b@2"] == await published(bus)

    async def test_repeats_what_may_not_have_arrived(self) -> None:
        """After a send that nobody knows of the same rows are published again."""
        bus, rows = await a_bus(), MemoryRows("a", "b")
        relay = a_relay(rows, bus)
        bus.fails = True
        with pytest.raises(SendUnknown):
            await relay()
        bus.fails = False

        assert 2 == await relay()
        assert [b"a@1", b"b@2"] == await published(bus)

    async def test_publishes_nothing_while_another_process_does(self) -> None:
        """Two relays would mix the order of changes; the sentence says what it waits for."""
        bus, relay = await a_bus(), MemoryRelay()
        relay.number = None

        with pytest.raises(RelayHeld, match="another admin process"):
            await a_relay(MemoryRows("a"), bus, relay)()
        assert [] == await published(bus)
        assert {(await bus.topic(REGISTRY)).id} == relay.asked_for

    async def test_publishes_everything_when_its_turn_begins_anew(self) -> None:
        """What the one before had sent last may be older than what stands in the table."""
        bus, rows, relay = await a_bus(), MemoryRows("a", "b"), MemoryRelay()
        publish = a_relay(rows, bus, relay)
        await publish()
        relay.number = 2

        assert (2, 0) == (await publish(), await publish())

    async def test_publishes_everything_again_now_and_then(self) -> None:
        """A log may lose its tail without anybody hearing of it."""
        bus, rows, clock = await a_bus(), MemoryRows("a", "b"), FixedClock()
        publish = a_relay(rows, bus, clock=clock)
        await publish()
        clock.advance(59_999)
        early = await publish()
        clock.advance(1)

        assert (0, 2) == (early, await publish())

    async def test_catches_up_before_it_publishes(self) -> None:
        """Once for each turn, before the first row: what the topic has newer is not overwritten."""
        bus, rows, relay = await a_bus(), MemoryRows("a"), MemoryRelay()
        seen = list[int]()

        async def catch_up() -> int:
            seen.append(len(await published(bus)))
            return 0

        publish = a_relay(rows, bus, relay, catch_up=catch_up)
        await publish()
        await publish()
        relay.number = 2
        await publish()

        assert [0, 1] == seen


class TestEndOfPublication:
    async def test_ends_a_full_publication_with_its_log(self) -> None:
        """The record that names the log comes once, behind the last row; changes need none."""
        bus, rows = await a_bus(), MemoryRows("a", "b", "c")
        relay = a_relay(rows, bus)
        await relay()
        rows.change("b")
        await relay()

        keys = [key for key, _ in await all_published(bus)]
        assert [b"a", b"b", b"c", b"published", b"b"] == keys
        assert await the_end(bus, 3) == (await all_published(bus))[3]

    async def test_ends_it_again_on_a_new_log(self) -> None:
        """Another log is named by a record of its own."""
        bus = await a_bus()
        relay = a_relay(MemoryRows("a", "b"), bus)
        await relay()
        before = await the_end(bus, 2)
        await bus.forget()
        await relay()

        assert await the_end(bus, 2) == (await all_published(bus))[-1]
        assert before != await the_end(bus, 2)

    @pytest.mark.parametrize("lost", [2, 3])
    async def test_does_not_end_what_failed_halfway(self, lost: int) -> None:
        """Whichever send is lost, the second page or the end: the next call ends it, once."""
        bus = await a_bus()
        relay = a_relay(MemoryRows("a", "b", "c"), bus)
        bus.fails_after = lost
        with pytest.raises(SendUnknown):
            await relay()
        halfway = await all_published(bus)
        await relay()

        assert await the_end(bus, 3) not in halfway
        assert [await the_end(bus, 3)] == (await all_published(bus))[3:]

    async def test_says_so_of_an_empty_table_too(self) -> None:
        """A new switch is served before its first outlet is added, which comes behind."""
        bus, rows = await a_bus(), MemoryRows()
        relay = a_relay(rows, bus)
        await relay()
        empty = await all_published(bus)
        rows.change("a")
        await relay()

        assert [await the_end(bus, 0)] == empty
        assert 2 == len(await all_published(bus))
