"""What is waited for before a tenure, and how its leases last while the books are read."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from libs.bus import BusUnavailable, MemoryBus, TopicInfo, TopicSettings
from libs.clock import SystemClock
from libs.contracts import topics
from libs.fakes.clock import FixedClock
from services.card_ledger.handlers.begin_tenure import BeginTenure, renewing
from services.card_ledger.ports import BookState, LeaseLost, OwnedPartition

BOUND_S = 10
OUT_OF_REACH = "no broker answers"
DAY = 20_781  # 2026-11-24.
MIDNIGHT_MS = (DAY + 1) * 86_400_000 - 9 * 3_600_000  # Its end in Jayapura.


class FakeLeases:
    """Leases of one partition that are always free; renewals are counted."""

    def __init__(self, *, lost_at: int = 0) -> None:
        self.taken = 0
        self.renewed = 0
        self.twice = asyncio.Event()
        self._lost_at = lost_at

    async def take(self, holder: str) -> Sequence[OwnedPartition]:
        """Give the partition."""
        self.taken += 1
        return [OwnedPartition(0, self.taken, 1, 0, 0, b"", 0, "", -1, 0)]

    async def renew(self, epochs: Mapping[int, int]) -> None:
        """Count; the lease is lost at the renewal that the test names."""
        self.renewed += 1
        if self.renewed == self._lost_at:
            raise LeaseLost(sorted(epochs))
        if self.renewed >= 2:
            self.twice.set()

    async def give_back(self, epochs: Mapping[int, int]) -> None:
        """Nothing is kept."""

    async def holders(self) -> Sequence[str]:
        """Nobody holds any."""
        return []

    async def move_back(self, epochs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Nothing is kept."""


class Reachable(MemoryBus):
    """A bus that answers only when the test says so."""

    def __init__(self) -> None:
        super().__init__({topics.COMMANDS: TopicSettings(partitions=1)}, SystemClock())
        self.is_reached = False
        self.asked = 0

    async def topic(self, name: str) -> TopicInfo:
        """Count, then answer or not."""
        self.asked += 1
        if not self.is_reached:
            raise BusUnavailable(OUT_OF_REACH)
        return await super().topic(name)


class NoBooks:
    """Books without an account."""

    async def load(self, owned: Sequence[OwnedPartition], day: int) -> BookState:
        """Return nothing."""
        return BookState({}, {})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other tasks bring about."""
    async with asyncio.timeout(BOUND_S):
        while not condition():  # noqa: ASYNC110 -- counts of hand-made fakes
            await asyncio.sleep(0.005)


class TestBeginTenure:
    async def test_takes_no_leases_before_the_log_answers(self) -> None:
        """Another process may reach it; the reason is reported and logged once."""
        leases, bus, said = FakeLeases(), Reachable(), list[str | None]()
        begin = BeginTenure(
            leases,
            NoBooks(),
            bus,
            SystemClock(),
            ZoneInfo("Asia/Jayapura"),
            holder="me",
            lease_ms=40,
            report=said.append,
        )
        with capture_logs() as lines:
            beginning = asyncio.create_task(begin(1))
            await until(lambda: bus.asked >= 3)
            assert (0, [OUT_OF_REACH]) == (leases.taken, said)
            assert [OUT_OF_REACH] == [line["reason"] for line in lines]

            bus.is_reached = True
            tenure = await asyncio.wait_for(beginning, BOUND_S)

        assert {0: 1} == tenure.epochs
        assert [OUT_OF_REACH, None] == said

    async def test_books_on_no_day_before_the_one_that_usage_was_read_for(self) -> None:
        """Simulation, seed 202: a clock that stepped back over midnight reset what was spent."""
        bus, clock = Reachable(), FixedClock(MIDNIGHT_MS - 1)
        bus.is_reached = True
        begin = BeginTenure(
            FakeLeases(),
            NoBooks(),
            bus,
            clock,
            ZoneInfo("Asia/Jayapura"),
            holder="me",
            lease_ms=40,
            report=lambda _: None,
        )

        days = []
        for at_ms in (MIDNIGHT_MS - 1, MIDNIGHT_MS):
            clock.jump_to(at_ms)
            tenure = await asyncio.wait_for(begin(1), BOUND_S)
            days.append(tenure.standings[0].day)

        assert [DAY, DAY + 1] == days


class TestRenewing:
    async def test_renews_while_the_work_lasts(self) -> None:
        """Work that outlasts leases keeps them: it ends here only after two renewals."""
        leases = FakeLeases()

        async def load() -> str:
            await leases.twice.wait()
            return "books"

        renewed = renewing(leases, {0: 1}, load(), every_ms=1)
        assert "books" == await asyncio.wait_for(renewed, BOUND_S)

    async def test_leaves_the_work_once_the_lease_is_lost(self) -> None:
        """Nobody needs books that another process writes: reading them ends at once."""
        was_cancelled = asyncio.Event()

        async def load() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                was_cancelled.set()

        with pytest.raises(LeaseLost):
            await asyncio.wait_for(
                renewing(FakeLeases(lost_at=2), {0: 1}, load(), every_ms=1), BOUND_S
            )
        await asyncio.wait_for(was_cancelled.wait(), BOUND_S)
