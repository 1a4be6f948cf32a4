"""What is remembered between two tenures of a log that ended too early, and for how long."""

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from libs.bus import BusUnavailable, LogGap
from libs.bus.faults import LogReplaced, LogTailLost
from libs.outcome import Fault
from services.card_ledger.handlers.follow_log import LogFollower
from services.card_ledger.ports import OwnedPartition

LOG = "log-1"
TOPIC = "commands"
END = 5_000
TAIL_LOST = LogTailLost(TOPIC, {1: 9_000}, {1: END})
WENT_BACK_TOO_FAR = LogGap(TOPIC, 1, 4_000, 4_499)


class Positions:
    """Leases of which only the stored positions matter."""

    def __init__(self) -> None:
        self.moved: list[tuple[Mapping[int, int], Mapping[int, int]]] = []

    async def move_back(self, epochs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Note what would be stored."""
        self.moved.append((epochs, offsets))

    async def take(self, holder: str) -> list[OwnedPartition]:
        """Nobody asks."""
        raise NotImplementedError

    async def renew(self, epochs: Mapping[int, int]) -> None:
        """Nobody asks."""
        raise NotImplementedError

    async def give_back(self, epochs: Mapping[int, int]) -> None:
        """Nobody asks."""
        raise NotImplementedError

    async def holders(self) -> list[str]:
        """Nobody asks."""
        raise NotImplementedError


def owned(epoch: int, *, at: int = 8_999, log: str = LOG) -> list[OwnedPartition]:
    """Return the rows of partitions 1 and 2 as they are taken under an epoch."""
    return [OwnedPartition(n, epoch, 1, 0, 0, b"", 0, log, at, 0) for n in (1, 2)]


@pytest.fixture
def positions() -> Positions:
    """Positions that nobody has moved."""
    return Positions()


@pytest.fixture
async def follower(positions: Positions) -> LogFollower:
    """A follower in its first tenure, of epoch 7."""
    follower = LogFollower(positions)
    await follower.correct(owned(7), LOG)
    return follower


def go_on(follower: LogFollower, fault: Fault) -> None:
    """End the tenure with a fault."""
    follower.go_on(ExceptionGroup("tenure", [fault]))


async def test_goes_back_a_stretch_in_front_of_the_new_end(
    follower: LogFollower, positions: Positions
) -> None:
    """Only the partition that is concerned, and once."""
    go_on(follower, TAIL_LOST)

    assert [3_999, 8_999] == [one.source_offset for one in await follower.correct(owned(8), LOG)]
    assert [({1: 8}, {1: 3_999})] == positions.moved
    assert [8_999] * 2 == [one.source_offset for one in await follower.correct(owned(9), LOG)]


async def test_forgets_it_when_another_process_served_in_between(
    follower: LogFollower, positions: Positions
) -> None:
    """Its position is newer than what we noted; a gap in front of it is a real one."""
    go_on(follower, TAIL_LOST)

    again = owned(9, at=700_000)
    assert again == await follower.correct(again, LOG)
    assert [] == positions.moved
    assert not follower.may_go_on(WENT_BACK_TOO_FAR)


async def test_forgets_it_on_another_log(follower: LogFollower, positions: Positions) -> None:
    """An offset in one log says nothing about another."""
    go_on(follower, TAIL_LOST)

    assert owned(8) == await follower.correct(owned(8), "log-2")
    assert [] == positions.moved


async def test_passes_over_a_gap_only_where_it_went_back(
    follower: LogFollower, positions: Positions
) -> None:
    """The log begins inside the stretch that would be read again: said aloud, then read on."""
    go_on(follower, TAIL_LOST)
    await follower.correct(owned(8), LOG)
    with capture_logs() as lines:
        go_on(follower, WENT_BACK_TOO_FAR)
    await follower.correct(owned(9), LOG)

    assert ({1: 9}, {1: 4_499}) == positions.moved[-1]
    assert {"log_level": "error", "partition": 1, "first": 4_000, "last": 4_499}.items() <= lines[
        0
    ].items()


@pytest.mark.parametrize(
    "gap",
    [LogGap(TOPIC, 2, 4_000, 4_499), LogGap(TOPIC, 1, 4_000, END)],
    ids=["another partition", "behind the end that was seen"],
)
async def test_does_not_skip_what_it_never_read(follower: LogFollower, gap: LogGap) -> None:
    """Another partition did not go back, and what came behind the new end was never read."""
    go_on(follower, TAIL_LOST)
    await follower.correct(owned(8), LOG)

    with pytest.raises(ExceptionGroup) as caught:
        go_on(follower, gap)
    assert (gap,) == caught.value.exceptions


async def test_does_not_skip_a_gap_once_it_has_read_on(follower: LogFollower) -> None:
    """An earlier loss excuses no later one; work of other partitions proves nothing."""
    go_on(follower, TAIL_LOST)
    await follower.correct(owned(8), LOG)
    follower.reached({2})
    assert follower.may_go_on(WENT_BACK_TOO_FAR)
    follower.reached({1})

    with pytest.raises(ExceptionGroup):
        go_on(follower, WENT_BACK_TOO_FAR)


async def test_goes_on_in_another_log(follower: LogFollower) -> None:
    """A topic made anew loses nothing of the books; other trouble is not its business."""
    assert follower.may_go_on(LogReplaced(TOPIC))
    assert not follower.may_go_on(BusUnavailable("gone"))
