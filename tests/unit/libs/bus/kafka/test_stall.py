"""When a consumer counts as stuck: the cluster answers, it brings nothing."""

from aiokafka.structs import TopicPartition

from libs.bus.kafka.stall import StallGuard
from libs.fakes.clock import FixedClock

PLACE = TopicPartition("t.x.v1", 0)
STUCK_MS = 1_000


class Consumer:
    """Stands where it is told."""

    def __init__(self, *, position: int, end: int) -> None:
        self.at = position
        self.end = end

    async def position(self, place: TopicPartition) -> int:
        """Return where the next record is."""
        return self.at

    def highwater(self, place: TopicPartition) -> int:
        """Return where the log ends."""
        return self.end


class Watched:
    """A guard and a clock that goes on with each look."""

    def __init__(self, consumer: Consumer) -> None:
        self.clock = FixedClock()
        self.guard = StallGuard(self.clock, stuck_ms=STUCK_MS)
        self.consumer = consumer

    async def look(self, stamp: int | None, *, after_ms: int, is_well: bool = True) -> bool:
        """Look later."""
        self.clock.advance(after_ms)
        return await self.guard.is_stuck(
            self.consumer,
            {PLACE: stamp},
            is_well=is_well,
        )


class TestStallGuard:
    async def test_finds_fetches_that_are_never_answered(self) -> None:
        """The same stamp for too long."""
        watched = Watched(Consumer(position=5, end=5))

        looks = [await watched.look(7, after_ms=400) for _ in range(4)]

        assert [False, False, False, True] == looks

    async def test_finds_a_partition_that_was_never_heard_of(self) -> None:
        """No stamp at all is no better."""
        watched = Watched(Consumer(position=5, end=5))

        looks = [await watched.look(None, after_ms=600) for _ in range(3)]

        assert [False, False, True] == looks

    async def test_finds_a_position_that_does_not_move(self) -> None:
        """Fetches are answered, the log is longer, and yet nothing comes."""
        watched = Watched(Consumer(position=5, end=6))

        looks = [await watched.look(stamp, after_ms=400) for stamp in range(4)]

        assert [False, False, False, True] == looks

    async def test_leaves_an_idle_one_alone(self) -> None:
        """At the end of the log answered fetches are all there is to do."""
        watched = Watched(Consumer(position=5, end=5))

        assert not any([await watched.look(stamp, after_ms=400) for stamp in range(9)])

    async def test_leaves_a_slow_one_alone(self) -> None:
        """As long as its position goes on it is not stuck, however far behind."""
        watched = Watched(Consumer(position=5, end=1_000))
        looks = []
        for stamp in range(9):
            watched.consumer.at += 1
            looks.append(await watched.look(stamp, after_ms=400))

        assert not any(looks)

    async def test_blames_nobody_while_the_cluster_is_away(self) -> None:
        """The time counts from when the cluster answers again."""
        watched = Watched(Consumer(position=5, end=5))
        for _ in range(9):
            assert not await watched.look(7, after_ms=400, is_well=False)

        looks = [await watched.look(7, after_ms=400) for _ in range(4)]

        assert [False, False, False, True] == looks
