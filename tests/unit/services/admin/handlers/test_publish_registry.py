"""The relay from the registry's table to its topic."""

from collections.abc import Sequence

import pytest

from libs.bus import MemoryBus, Outgoing, SendUnknown, TopicSettings
from libs.contracts.envelope import read_envelope
from libs.contracts.topics import REGISTRY, REGISTRY_CHANGE
from libs.fakes.clock import FixedClock
from services.admin.handlers.publish_registry import PublishRegistry, RelayHeld
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
        super().__init__({REGISTRY: TopicSettings(partitions=1)}, FixedClock())

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Publish, or say that nobody knows."""
        if self.fails:
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


def a_relay(
    rows: MemoryRows,
    bus: MemoryBus,
    relay: MemoryRelay | None = None,
    clock: FixedClock | None = None,
) -> PublishRegistry:
    return PublishRegistry(
        rows,
        relay or MemoryRelay(),
        bus,
        clock or FixedClock(),
        rows_max=2,
        send_timeout_ms=1_000,
        again_every_ms=60_000,
    )


async def published(bus: MemoryBus) -> list[bytes]:
    reader = await bus.open_reader(REGISTRY, starts={0: None})
    taken = await reader.take(wait_ms=0, records_max=100)
    return [record.value for record in taken.get(0, ())]


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
        [record] = (await reader.take(wait_ms=0, records_max=9))[0]

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
