"""How often and how slowly a process reads its books again after a fork."""

import pytest
from structlog.testing import capture_logs

from libs.bus import BusUnavailable
from services.card_ledger.handlers.post_transfers import HistoryDiffers, TenureEnded
from services.card_ledger.handlers.watch_forks import ForkWatch
from services.card_ledger.ports import BooksFork

FORK = HistoryDiffers(BooksFork("transfer_1_debit_idx", "transfer_1", "(debit) = (7)"), [1, 3])


@pytest.fixture
def said() -> list[str | None]:
    """What was reported to health, in order."""
    return []


@pytest.fixture
def watch(said: list[str | None]) -> ForkWatch:
    """A watch that has seen nothing."""
    return ForkWatch(said.append)


class TestForkWatch:
    def test_reads_again_at_once_and_then_ever_slower(
        self, watch: ForkWatch, said: list[str | None]
    ) -> None:
        """The first fork is no alarm; from the second on health is red, pauses have an end."""
        pauses = [watch.ended([FORK]) for _ in range(200)]

        assert [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000] == pauses[:8]
        assert {60_000} == set(pauses[8:])
        assert 199 == len(said)
        assert said[0] == (
            "partitions [1, 3]: nothing can be booked, the tables contradict themselves: (debit) ="
            " (7) is in transfer_1 already (transfer_1_debit_idx); tried 2 times;"
            " run lesko ledger verify"
        )

    def test_is_well_again_once_all_stopped_partitions_work(
        self, watch: ForkWatch, said: list[str | None]
    ) -> None:
        """Work of others, or of one of two, says nothing about the partition that stands still."""
        watch.ended([FORK])
        watch.ended([FORK])
        watch.settled({0, 1})
        assert 1 == len(said)
        watch.settled({3})

        assert None is said[-1]
        assert 0 == watch.ended([FORK])

    def test_lets_others_come_first_when_the_bus_is_out_of_reach(
        self, watch: ForkWatch, said: list[str | None]
    ) -> None:
        """Whoever waits for the leases gets them before we ask again; it is no fork."""
        with capture_logs() as lines:
            pause_ms = watch.ended([BusUnavailable("no broker answers")])

        assert (1_000, []) == (pause_ms, said)
        assert [("leases_given_up", "no broker answers")] == [
            (line["event"], line["reason"]) for line in lines
        ]

    def test_tells_a_lost_lease_from_a_fork(self, watch: ForkWatch, said: list[str | None]) -> None:
        """A lost lease is a warning and no alarm, however often; a fork beside it counts."""
        lost = TenureEnded("lost the lease of partitions [1]")
        with capture_logs() as lines:
            pauses = [watch.ended([lost]), watch.ended([lost]), watch.ended([lost, FORK])]

        assert ([0, 0, 0], []) == (pauses, said)
        assert [("leases_lost", "warning")] * 2 + [("books_fork", "error")] == [
            (line["event"], line["log_level"]) for line in lines
        ]
        assert {
            "constraint": "transfer_1_debit_idx",
            "table": "transfer_1",
            "partitions": (1, 3),
        }.items() <= lines[-1].items()
