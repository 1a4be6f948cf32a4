"""``lesko serve SERVICE`` on a bus that ends the process between two steps; for kill rounds only.

``python -m loadtests.chaos_launcher POINT SERVICE``; SIGUSR1 arms it: the next publication of some
records to the service's own topic ends the process at the point.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Final

from libs.bus import Bus, Outgoing, Reader, TopicInfo
from libs.bus.port import Assigned
from libs.contracts import topics
from libs.observe import configure_logs
from services.cli.composition import (
    check_settings,
    choose_services,
    open_shared,
    overrides,
    with_watches,
)
from services.cli.database import need_logins
from services.cli.lifecycle import run_parts
from services.cli.settings import Settings
from services.cli.signals import run_until_stopped
from services.cli.waits import unless_stopped, wait_for_needs

EXIT_CODE: Final = 86
RECORDS_MIN: Final = 2
SENDS_TO: Final[Mapping[str, str]] = {
    "iso_bridge": topics.REQUESTS,
    "authorization": topics.COMMANDS,
    "card_ledger": topics.BRIDGE_ANSWERS,
}

Wrap = Callable[[Bus], Bus]


class Point(StrEnum):
    """Where the process ends."""

    BEFORE_SEND = "before_send"  # What was decided (and committed) is not sent.
    HALF_SENT = "half_sent"  # The first half of it is on the broker.
    AFTER_SEND = "after_send"  # All of it is, and nobody here knows that.


class WrappedBus:
    """A bus that another one stands behind; to be changed in single methods."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    @property
    def clock_skew_ms(self) -> int:
        """As Bus.clock_skew_ms."""
        return self._bus.clock_skew_ms

    async def start(self) -> None:
        """As Bus.start."""
        await self._bus.start()

    async def stop(self) -> None:
        """As Bus.stop."""
        await self._bus.stop()

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """As Bus.publish."""
        await self._bus.publish(records, timeout_ms=timeout_ms)

    async def topic(self, name: str) -> TopicInfo:
        """As Bus.topic."""
        return await self._bus.topic(name)

    async def bounds(self, name: str) -> Mapping[int, tuple[int, int]]:
        """As Bus.bounds."""
        return await self._bus.bounds(name)

    async def open_group_reader(
        self, topic: str, *, group: str, member: str = "", assigned: Assigned | None = None
    ) -> Reader:
        """As Bus.open_group_reader."""
        return await self._bus.open_group_reader(
            topic, group=group, member=member, assigned=assigned
        )

    async def open_reader(self, topic: str, *, starts: Mapping[int, int | None]) -> Reader:
        """As Bus.open_reader."""
        return await self._bus.open_reader(topic, starts=starts)

    async def open_tail_reader(self, topic: str, *, partition: int) -> Reader:
        """As Bus.open_tail_reader."""
        return await self._bus.open_tail_reader(topic, partition=partition)


class CrashingBus(WrappedBus):
    """Ends the process at ``point``, once it is armed and enough records go to ``topic``."""

    def __init__(self, bus: Bus, point: Point, topic: str, end: Callable[[int], object]) -> None:
        super().__init__(bus)
        self._point = point
        self._topic = topic
        self._end = end
        self.is_armed = False

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Send all, half or nothing, and end."""
        if not self.is_armed or sum(one.topic == self._topic for one in records) < RECORDS_MIN:
            await self._bus.publish(records, timeout_ms=timeout_ms)
            return
        sent = {
            Point.BEFORE_SEND: 0,
            Point.HALF_SENT: len(records) // 2,
            Point.AFTER_SEND: len(records),
        }[self._point]
        if sent:
            await self._bus.publish(records[:sent], timeout_ms=timeout_ms)
        self._end(EXIT_CODE)


def serve_wrapped(service: str, wrap: Wrap) -> None:
    """Run one service as ``lesko serve`` does, on a bus of another make."""
    settings = Settings()
    configure_logs(service="lesko", level=settings.log_level, stream=sys.stdout)
    run_until_stopped(partial(_serve, settings, service, wrap))


async def _serve(settings: Settings, service: str, wrap: Wrap, stop: asyncio.Event) -> None:
    parts = choose_services([service], settings)
    owners = [part.schema for part in parts if part.schema is not None]
    logins = need_logins(settings, owners) if owners else None
    over = overrides(settings, logins)
    check_settings(parts, over)
    async with open_shared(settings, parts, logs=sys.stdout) as (plain, _):
        shared = replace(plain, bus=wrap(plain.bus))
        if not await unless_stopped(wait_for_needs(parts, shared, logins, migrate=False), stop):
            return
        await run_parts(
            with_watches(parts, settings, logins),
            shared,
            over,
            stop=stop,
            while_ready=_nothing,
            ready_ms_max=0,
            one_by_one=False,
        )


async def _nothing() -> None:
    """Say nothing when all is ready."""


def main() -> None:
    """Serve until armed and met."""
    point, service = Point(sys.argv[1]), sys.argv[2]

    def wrap(bus: Bus) -> Bus:
        crashing = CrashingBus(bus, point, SENDS_TO[service], os._exit)
        signal.signal(signal.SIGUSR1, lambda *_: setattr(crashing, "is_armed", True))
        return crashing

    serve_wrapped(service, wrap)


if __name__ == "__main__":
    main()
