"""What a pump gives out, and what it holds back: another log, partitions given up, no proof."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord, TopicPartition

from libs.bus import BusUnavailable, LogReplaced
from libs.bus.kafka.pump import Pump
from libs.bus.kafka.settings import KafkaLimits
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Surroundings
from libs.bus.port import TopicInfo
from libs.clock import SystemClock
from libs.outcome import Fault

TOPIC = "t.x.v1"
PLACE = TopicPartition(TOPIC, 0)
LIMITS = KafkaLimits(fetch_wait_ms=5, proof_ms=100)

Step = Sequence[int] | Exception


def a_record(offset: int) -> ConsumerRecord[bytes, bytes]:
    headers = (("foreign", b"x"), ("envelope", b"env"))
    return ConsumerRecord(TOPIC, 0, offset, 77, 0, b"k", b"v", None, 1, 1, headers)


class ScriptedConsumer:
    """Gives offsets or faults as listed, then nothing; a fetch is answered while ``answers``."""

    def __init__(self, *script: Step) -> None:
        self._script = list(script)
        self._stamp = 0
        self.answers = True

    async def getmany(self, *, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Any]]:
        """Return or raise what is next."""
        if self._script:
            step = self._script.pop(0)
            if isinstance(step, Exception):
                raise step
            return {PLACE: [a_record(offset) for offset in step]} if step else {}
        await asyncio.sleep(timeout_ms / 1000)
        self._stamp += self.answers
        return {}

    def assignment(self) -> set[TopicPartition]:
        """Return the one partition."""
        return {PLACE}

    def last_poll_timestamp(self, place: TopicPartition) -> int:
        """Return a number that goes on with each answer."""
        return self._stamp

    def highwater(self, place: TopicPartition) -> int:
        """Return the end."""
        return 0

    async def position(self, place: TopicPartition) -> int:
        """Return the end too."""
        return 0


class Source:
    """One partition that is ours as long as ``turn`` stays."""

    topic = TOPIC
    is_joining = False
    is_left_out = False

    def __init__(self, *consumers: ScriptedConsumer) -> None:
        self.log = "first"
        self.turn = 0
        self.opened = 0
        self._consumers = list(consumers)
        self.positions: list[int] = []
        self.fault: Fault | None = None

    async def open(self) -> ScriptedConsumer:
        """Give the next consumer."""
        self.opened += 1
        return self._consumers.pop(0) if self._consumers else ScriptedConsumer()

    async def settled(self) -> None:
        """Return at once."""

    def read_to(self, partition: int, offset: int) -> None:
        """Remember."""
        self.positions.append(offset)

    def replaced(self, log: str) -> Fault | None:
        """Begin with another log, or not."""
        self.log = log
        return self.fault

    async def close(self) -> None:
        """Nothing to store."""


class Watch:
    """Says what the test says: surely the same log, not sure, or another one."""

    def __init__(self) -> None:
        self.now: bool | LogReplaced = True
        self._looked = asyncio.Event()

    def lose_sight(self) -> None:
        """Be not sure."""
        self.now = False

    def see_the_same(self) -> None:
        """Be sure."""
        self.now = True
        self._looked.set()

    def see_another(self) -> None:
        """See another log."""
        self.now = LogReplaced(TOPIC)
        self._looked.set()

    def is_same(self, topic: str, log: str) -> bool:
        """Return or raise what is said."""
        if isinstance(self.now, LogReplaced):
            raise self.now
        return self.now

    def problem(self, topic: str) -> str:
        """Return a sentence."""
        return "nobody answers"

    def known(self, topic: str) -> TopicInfo:
        """Return the other log."""
        return TopicInfo("second", 1)

    async def next_look(self) -> None:
        """Wait for the test."""
        self._looked.clear()
        await self._looked.wait()


class Closer:
    """Ends nothing."""

    def end_consumer(self, consumer: object) -> "asyncio.Task[None]":
        """Return something that has ended soon."""
        return asyncio.create_task(asyncio.sleep(0))


class Bench:
    """A pump between a source and a shelf."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.shelf = Shelf(records_max=100)
        self.pumps: list[Pump] = []

    async def run(self, source: Source) -> Pump:
        """Start a pump."""
        around = Surroundings(self.watch, Closer(), SystemClock(), LIMITS)  # type: ignore[arg-type]  # -- what is used
        pump = Pump(source, self.shelf, around)  # type: ignore[arg-type]  # -- as above
        await pump.start()
        self.pumps.append(pump)
        return pump

    async def offsets(self, count: int) -> list[int]:
        """Take until so many have come."""
        taken: list[int] = []
        async with asyncio.timeout(5):
            while len(taken) < count:
                await self.shelf.wait(1)
                taken += [r.offset for rs in self.shelf.take(10).values() for r in rs]
        return taken


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    for pump in bench.pumps:
        await pump.stop()


async def turns(count: int = 20) -> None:
    """Let everything that can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestPump:
    async def test_makes_records_of_what_it_fetched(self, bench: Bench) -> None:
        """Key, value and time come through, and of the headers only the envelope."""
        await bench.run(Source(ScriptedConsumer([4])))

        await bench.shelf.wait(5)
        ((record,),) = bench.shelf.take(10).values()

        assert (TOPIC, 0, 4, b"k", b"v", b"env", 77) == record

    async def test_holds_records_until_the_log_is_surely_the_same(self, bench: Bench) -> None:
        """What came after a broker was lost sight of waits for the next look."""
        bench.watch.lose_sight()
        source = Source(ScriptedConsumer([0, 1]))
        pump = await bench.run(source)
        await turns()
        assert ([], False) == (source.positions, bench.shelf.has_any)
        assert "nobody answers" == pump.problem

        bench.watch.see_the_same()

        assert [0, 1] == await bench.offsets(2)
        assert pump.problem is None

    async def test_gives_nothing_of_another_log(self, bench: Bench) -> None:
        """Records that were fetched from a log at our old position are not ours."""
        bench.watch.lose_sight()
        source = Source(ScriptedConsumer([7, 8]))
        source.fault = LogReplaced(TOPIC)
        await bench.run(source)
        await turns()

        bench.watch.see_another()
        await bench.shelf.wait(5)

        for _ in range(2):
            with pytest.raises(LogReplaced):
                bench.shelf.take(10)
        assert [] == source.positions

    async def test_begins_over_where_the_source_can(self, bench: Bench) -> None:
        """A source that follows the topic gets another consumer, and its records come."""
        bench.watch.see_another()
        source = Source(ScriptedConsumer([7, 8]), ScriptedConsumer([0]))
        await bench.run(source)
        await turns()

        bench.watch.see_the_same()

        assert [0] == await bench.offsets(1)
        assert (2, "second") == (source.opened, source.log)

    async def test_drops_what_was_given_up_meanwhile(self, bench: Bench) -> None:
        """Records fetched before partitions were dealt out anew may be somebody else's now."""
        bench.watch.lose_sight()
        source = Source(ScriptedConsumer([0, 1], [5]))
        await bench.run(source)
        await turns()

        source.turn += 1
        bench.watch.see_the_same()

        assert [5] == await bench.offsets(1)

    async def test_gives_what_was_answered_while_it_looked_around(self, bench: Bench) -> None:
        """The look that proves the end of a log takes nothing away."""
        await bench.run(Source(ScriptedConsumer([0], [], [1], [2])))

        assert [0, 1, 2] == await bench.offsets(3)

    async def test_replaces_a_consumer_that_raises(self, bench: Bench) -> None:
        """Any trouble of aiokafka's ends in another consumer, which goes on."""
        source = Source(ScriptedConsumer([0], KafkaConnectionError("x")), ScriptedConsumer([1]))
        pump = await bench.run(source)

        assert [0, 1] == await bench.offsets(2)
        assert (2, 1) == (source.opened, pump.replaced)

    async def test_tries_again_to_open(self, bench: Bench) -> None:
        """A source that cannot be opened is a problem that is told, not an end."""

        class Hard(Source):
            async def open(self) -> ScriptedConsumer:
                if self.opened == 1:
                    self.opened += 1
                    raise BusUnavailable("not yet")
                return await super().open()

        source = Hard(ScriptedConsumer(KafkaConnectionError("x")), ScriptedConsumer([1]))
        await bench.run(source)

        assert [1] == await bench.offsets(1)


class TestProve:
    async def test_proves_by_a_fetch_that_found_nothing(self, bench: Bench) -> None:
        """Answered since, and nothing came: there was no more."""
        pump = await bench.run(Source())

        assert await pump.prove(pump.stamps())

    async def test_proves_nothing_without_an_answer(self, bench: Bench) -> None:
        """A silent broker is no end of the log."""
        consumer = ScriptedConsumer()
        consumer.answers = False
        pump = await bench.run(Source(consumer))

        assert not await pump.prove(pump.stamps())

    async def test_proves_nothing_while_the_log_may_be_another(self, bench: Bench) -> None:
        """Fetches are answered by a broker that nobody has looked at."""
        bench.watch.lose_sight()
        pump = await bench.run(Source())

        assert not await pump.prove(pump.stamps())
