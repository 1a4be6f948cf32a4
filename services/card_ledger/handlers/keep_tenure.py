"""Keep what a tenure needs while it lasts: leases, the way to its log, projections, days."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from libs.bus import Bus, BusUnavailable, TopicUnknown
from libs.clock import Clock, business_day
from libs.contracts.topics import COMMANDS
from libs.outcome import Fault
from services.card_ledger.handlers.post_transfers import TenureEnded
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.ports import LeaseLost, Leases

Report = Callable[[str | None], None]

AFTER_FAULT_MS = 1_000
DAYS_LOW = 2
"""Below so many days ahead the ledger is not ready."""


class Upkeep(Protocol):
    """What the books need beside payments (store.upkeep)."""

    async def ensure_days(self, first: date, days: int) -> int:
        """Make the partitions of these key days."""

    async def make_days_of_default(self) -> int:
        """Give rows of the DEFAULT partition days of their own."""

    async def days_ahead(self, today: date) -> int:
        """Return how many days in a row from today have a partition."""

    async def rows_in_default(self) -> int:
        """Return how many rows found no day of their own."""

    async def project(self, partitions: Sequence[int], *, rows_max: int) -> int:
        """Bring the projections up to the last row; return how many balances disagreed."""


async def keep_leases(leases: Leases, tenure: Tenure, *, every_ms: int, report: Report) -> None:
    """Renew until cancelled; raises TenureEnded when another process has taken over."""
    while True:
        await asyncio.sleep(every_ms / 1000)
        try:
            await leases.renew(tenure.epochs)
        except LeaseLost as lost:
            raise TenureEnded(str(lost)) from None
        except Fault as fault:
            report(str(fault))
        else:
            report(None)


async def keep_reach(
    bus: Bus, clock: Clock, topic: str, *, every_ms: int, patience_ms: int
) -> None:
    """Ask the bus until cancelled; raises BusUnavailable after so long without any answer.

    Another process may reach the log that we do not, so the leases are not ours to sit on.
    """
    since_ms: int | None = None
    while True:
        await asyncio.sleep(every_ms / 1000)
        asked_ms = clock.monotonic_ms()
        try:
            await bus.topic(topic)
        except BusUnavailable:
            since_ms = asked_ms if since_ms is None else since_ms
            if clock.monotonic_ms() - since_ms >= patience_ms:
                raise
        except TopicUnknown:
            since_ms = None  # An answer; the reader says what it means.
        else:
            since_ms = None


async def keep_projections(
    upkeep: Upkeep, tenure: Tenure, *, every_ms: int, rows_max: int, report: Report
) -> None:
    """Project until cancelled; a balance that disagrees with its rows is reported and stays so."""
    wrong = 0
    while True:
        try:
            wrong += await upkeep.project(sorted(tenure.standings), rows_max=rows_max)
        except Fault as fault:
            report(str(fault))
        else:
            report(f"{wrong} projected balances disagree with their rows" if wrong else None)
        await asyncio.sleep(every_ms / 1000)


class KeepTenure:
    """Starts what every tenure needs while it lasts."""

    def __init__(
        self,
        leases: Leases,
        upkeep: Upkeep,
        bus: Bus,
        clock: Clock,
        report: Callable[[str, str | None], None],
        *,
        lease_ms: int,
        project_every_ms: int,
        project_rows_max: int,
    ) -> None:
        """``report`` hears the name of a check and what is wrong."""
        self._leases = leases
        self._upkeep = upkeep
        self._bus = bus
        self._clock = clock
        self._report = report
        self._lease_ms = lease_ms
        self._project_every_ms = project_every_ms
        self._project_rows_max = project_rows_max

    def start(self, tasks: asyncio.TaskGroup, tenure: Tenure) -> None:
        """Keep leases, reach and projections as tasks of a group, until it is cancelled."""
        often_ms = self._lease_ms // 4
        tasks.create_task(
            keep_leases(
                self._leases,
                tenure,
                every_ms=often_ms,
                report=partial(self._report, "card_ledger.leases"),
            )
        )
        tasks.create_task(
            keep_reach(
                self._bus,
                self._clock,
                COMMANDS,
                every_ms=often_ms,
                patience_ms=2 * self._lease_ms,
            )
        )
        tasks.create_task(
            keep_projections(
                self._upkeep,
                tenure,
                every_ms=self._project_every_ms,
                rows_max=self._project_rows_max,
                report=partial(self._report, "card_ledger.projection"),
            )
        )


class KeepDays:
    """Makes the partitions of coming key days; alarms on rows that found none."""

    def __init__(
        self, upkeep: Upkeep, clock: Clock, zone: ZoneInfo, *, back: int, ahead: int
    ) -> None:
        self._upkeep = upkeep
        self._clock = clock
        self._zone = zone
        self._back = back
        self._ahead = ahead

    async def prepare(self) -> None:
        """Make the days from ``back`` before today to ``ahead`` after it. Idempotent.

        Rows that DEFAULT had to take move into days of their own, whatever their date.
        """
        today = business_day(self._clock.now_ms(), self._zone)
        first = today - timedelta(days=self._back)
        await self._upkeep.ensure_days(first, self._back + self._ahead + 1)
        await self._upkeep.make_days_of_default()

    async def ahead(self) -> int:
        """Return how many days in a row from today on have a partition."""
        return await self._upkeep.days_ahead(business_day(self._clock.now_ms(), self._zone))

    async def problem(self) -> str | None:
        """Return what a person should know, None when all is well."""
        ahead = await self.ahead()
        if ahead < DAYS_LOW:
            return f"only {ahead} day partitions from today on; see that the ledger may make more"
        return None

    async def alarm(self) -> int:
        """Return how many rows stand in the DEFAULT partition (an alarm, not a reason to stop)."""
        return await self._upkeep.rows_in_default()

    async def keep(
        self, *, every_ms: int, report: Report, seen: Callable[[int, int], None]
    ) -> None:
        """Prepare, look and report until cancelled; sooner again after a fault."""
        while True:
            pause_ms = every_ms
            try:
                in_default = await self.alarm()
                await self.prepare()
                report(await self.problem())
                seen(in_default, await self.ahead())
            except Fault as fault:
                report(str(fault))
                pause_ms = min(every_ms, AFTER_FAULT_MS)
            await asyncio.sleep(pause_ms / 1000)
