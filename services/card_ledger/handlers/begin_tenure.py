"""Wait for the log and the leases, then read the books that they cover."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import structlog

from libs.bus import BusUnavailable
from libs.bus.port import Bus, TopicInfo
from libs.clock import Clock, business_day, day_number
from libs.contracts import topics
from libs.outcome import Fault
from services.card_ledger.domain.book import Book
from services.card_ledger.handlers.find_ahead import BooksBehind, check_not_behind
from services.card_ledger.handlers.follow_log import LogFollower
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.ports import BookState, Leases, OwnedPartition

Done = TypeVar("Done")
BEHIND_MS = 2_000
log = structlog.get_logger("card_ledger")


class Loads(Protocol):
    """The books, as far as they are read whole."""

    async def load(self, owned: Sequence[OwnedPartition], day: int) -> BookState:
        """Read balances and usage of these partitions as of the last committed row."""


class BeginTenure:
    """Gives one tenure after the other; what is waited for is reported, and logged once."""

    def __init__(
        self,
        leases: Leases,
        books: Loads,
        bus: Bus,
        clock: Clock,
        zone: ZoneInfo,
        *,
        holder: str,
        lease_ms: int,
        report: Callable[[str | None], None],
    ) -> None:
        self._leases = leases
        self._books = books
        self._bus = bus
        self._clock = clock
        self._zone = zone
        self.follower = LogFollower(leases)
        self._holder = holder
        self._lease_ms = lease_ms
        self._report = report
        self._waiting_for = ""

    async def __call__(self, partitions: int) -> Tenure:
        """Return a tenure of all partitions; raises LeaseLost and what store and bus raise.

        Books that are behind the entries on the bus are not served: a person must recover them.
        """
        while True:
            while (taken := await self._take()) is None:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(self._lease_ms / 8 / 1000)
            owned, topic = taken
            owned = await self.follower.correct(owned, topic.id)
            today = day_number(business_day(self._clock.now_ms(), self._zone))
            day = max(today, *(one.booked_on for one in owned))
            try:
                state = await self._load(owned, day)
            except BooksBehind as behind:
                await self._leases.give_back({one.partition: one.epoch for one in owned})
                self._tell(str(behind))
                await asyncio.sleep(BEHIND_MS / 1000)  # Time for whoever recovers them.
                continue
            book = Book(partitions)
            book.load(state.accounts, state.usage)
            log.info("leases_taken", partitions=len(owned), accounts=len(state.accounts))
            self._waiting_for = ""
            self._report(None)
            return Tenure.begin(owned, book, topic.id, day=day)

    async def _load(self, owned: Sequence[OwnedPartition], day: int) -> BookState:
        """Read the books, and meanwhile see whether the bus knows more; raises BooksBehind."""
        epochs = {one.partition: one.epoch for one in owned}
        check = asyncio.create_task(check_not_behind(self._bus, owned))
        try:
            load = self._books.load(owned, day)
            state = await renewing(self._leases, epochs, load, every_ms=self._lease_ms // 4)
            await renewing(self._leases, epochs, check, every_ms=self._lease_ms // 4)
        except BusUnavailable:
            await self._leases.give_back(epochs)  # Another process may reach it.
            raise
        finally:
            check.cancel()
            await asyncio.gather(check, return_exceptions=True)
        return state

    async def _take(self) -> tuple[Sequence[OwnedPartition], TopicInfo] | None:
        """Whoever cannot reach the log takes no leases: another process may reach it."""
        try:
            topic = await self._bus.topic(topics.COMMANDS)
            owned = await self._leases.take(self._holder)
            if owned:
                return owned, topic
            holders = await self._leases.holders()
        except Fault as fault:
            problem = str(fault)
        else:
            problem = f"the books are served by {', '.join(holders)}; waiting to take over"
        self._tell(problem)
        return None

    def _tell(self, problem: str) -> None:
        if problem != self._waiting_for:
            log.info("waiting_for_leases", reason=problem)
            self._report(problem)
        self._waiting_for = problem


async def renewing(
    leases: Leases, epochs: Mapping[int, int], work: Awaitable[Done], *, every_ms: int
) -> Done:
    """Return what ``work`` returns, and renew until then; raises LeaseLost.

    Reading the books of a million cards takes longer than a lease lasts.
    """
    task = asyncio.ensure_future(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=every_ms / 1000)
            if done:
                return task.result()
            await leases.renew(epochs)
    finally:
        task.cancel()
