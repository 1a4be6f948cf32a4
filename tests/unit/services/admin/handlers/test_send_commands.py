"""The outbox's sender: again until it is answered, bounded, one at a time, whatever is lost."""

import pytest

from libs.bus import BusUnavailable, MemoryBus, TopicSettings
from libs.contracts.envelope import read_envelope
from libs.contracts.topics import ADMIN_ANSWERS, CARD_COMMAND, COMMANDS, LEDGER_COMMAND, REQUESTS
from libs.fakes.clock import FixedClock
from libs.fakes.outbox import MemoryOutbox, MemoryTurns
from services.admin.handlers.send_commands import SendCommands
from services.admin.ports import Answered, OpenCommand

TOPICS = {name: TopicSettings(partitions=4) for name in (REQUESTS, COMMANDS, ADMIN_ANSWERS)}
RESEND_MS = 1_000


class Bench:
    """An outbox, its sender, and a bus that can be replaced."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.rows = MemoryOutbox()
        self.turns = MemoryTurns()
        self.bus = MemoryBus(TOPICS, self.clock)
        self.send = self.sender()

    def sender(self) -> SendCommands:
        """A sender that knows nothing of what was sent before."""
        return SendCommands(
            self.rows,
            self.turns,
            self.bus,
            self.clock,
            instance=3,
            resend_every_ms=RESEND_MS,
            in_flight_max=2,
            send_timeout_ms=100,
        )

    async def sent(self, topic: str = REQUESTS) -> list[bytes]:
        """Ids on a topic, in order of partition and offset."""
        reader = await self.bus.open_reader(topic, starts=dict.fromkeys(range(4)))
        found = await reader.take(wait_ms=0, records_max=100)
        await reader.close()
        return [
            read_envelope(record.envelope).correlation_id
            for _, records in sorted(found.items())
            for record in records
        ]


@pytest.fixture
async def bench() -> Bench:
    found = Bench()
    await found.bus.start()
    return found


def a_command(number: int, *, topic: str = REQUESTS, partition: int = 1) -> OpenCommand:
    """An open command."""
    schema = CARD_COMMAND if topic == REQUESTS else LEDGER_COMMAND
    return OpenCommand(bytes([number]) * 16, topic, partition, b"key", schema, b"record")


def answer_to(command: OpenCommand) -> Answered:
    """What closes it."""
    return Answered(command.id, command.schema, b"answer")


async def test_sends_a_command_as_it_stands(bench: Bench) -> None:
    """Key, partition and record of the row; the id comes back with the answer, to our place."""
    bench.rows.add(a_command(1, partition=2))

    assert 1 == await bench.send()
    reader = await bench.bus.open_reader(REQUESTS, starts={2: None})
    [[record]] = (await reader.take(wait_ms=0, records_max=9)).values()
    envelope = read_envelope(record.envelope)
    assert (b"key", b"record", CARD_COMMAND, b"\x01" * 16, ADMIN_ANSWERS, 3, 0) == (
        record.key,
        record.value,
        envelope.schema,
        envelope.correlation_id,
        envelope.answer_topic,
        envelope.answer_partition,
        envelope.deadline_ms,
    )


async def test_sends_again_until_it_is_answered(bench: Bench) -> None:
    """Each time after the pause, not before; once closed never again."""
    command = a_command(1)
    bench.rows.add(command)
    counts = []
    for step_ms in (0, RESEND_MS - 1, 1, RESEND_MS):
        bench.clock.advance(step_ms)
        counts.append(await bench.send())
    await bench.rows.close([answer_to(command)])
    bench.clock.advance(RESEND_MS)

    assert [1, 0, 1, 1, 0] == [*counts, await bench.send()]
    assert [command.id] * 3 == await bench.sent()


async def test_sends_again_at_once_on_a_bus_that_forgot_all(bench: Bench) -> None:
    """Another log has none of it; so has a process that was killed between commit and send."""
    bench.rows.add(a_command(1))
    await bench.send()
    bench.bus = MemoryBus(TOPICS, bench.clock)
    await bench.bus.start()

    assert 1 == await bench.sender()()
    assert [b"\x01" * 16] == await bench.sent()


async def test_keeps_few_of_a_partition_in_flight(bench: Bench) -> None:
    """The oldest first; room is made by an answer, and a stuck partition holds up no other."""
    commands = [a_command(n) for n in range(1, 5)]
    for command in commands:
        bench.rows.add(command)
    bench.rows.add(a_command(9, topic=COMMANDS))

    assert 3 == await bench.send()
    await bench.rows.close([answer_to(commands[0])])
    assert 1 == await bench.send()
    assert [command.id for command in commands[:3]] == await bench.sent()
    assert [b"\x09" * 16] == await bench.sent(COMMANDS)


async def test_keeps_the_order_of_one_card(bench: Bench) -> None:
    """An unblock is not sent before the block in front of it is answered."""
    block, unblock = a_command(1), a_command(2)
    for command in (block, unblock):
        bench.rows.add(command, entity="card/7")

    assert (1, [block.id]) == (await bench.send(), await bench.sent())
    await bench.rows.close([answer_to(block)])
    assert (1, [block.id, unblock.id]) == (await bench.send(), await bench.sent())


async def test_sends_nothing_while_it_is_another_ones_turn(bench: Bench) -> None:
    """And all of it at once when the turn comes back: who knows what the other one did."""
    bench.rows.add(a_command(1))
    assert 1 == await bench.send()
    bench.turns.number = None
    assert 0 == await bench.send()
    bench.turns.number = 2
    assert 1 == await bench.send()


async def test_holds_what_the_bus_did_not_take_for_unsent(bench: Bench) -> None:
    """It is sent as soon as the bus is back, without a pause."""
    bench.rows.add(a_command(1))
    await bench.bus.stop()
    with pytest.raises(BusUnavailable):
        await bench.send()
    await bench.bus.start()

    assert (1, [b"\x01" * 16]) == (await bench.send(), await bench.sent())


async def test_goes_on_with_other_topics(bench: Bench) -> None:
    """A topic that is not there holds up its own commands only."""
    bench.bus = MemoryBus({n: TOPICS[n] for n in (REQUESTS, ADMIN_ANSWERS)}, bench.clock)
    await bench.bus.start()
    bench.rows.add(a_command(1, topic=COMMANDS))
    bench.rows.add(a_command(2))
    with pytest.raises(Exception, match="does not exist"):
        await bench.sender()()

    assert [b"\x02" * 16] == await bench.sent()
