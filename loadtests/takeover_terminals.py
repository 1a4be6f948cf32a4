"""The terminals of a trial: those that were buying when it struck, and one that asks until served.

All of them take down what they believe, so that the books can be checked afterwards.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from time import perf_counter_ns
from typing import Final

from loadtests.belief import facts
from loadtests.commands import CommandFailed
from loadtests.crew import Crew
from loadtests.fleet import PURCHASE_HEAD, Fleet, stan_bytes
from loadtests.frames import decode_frame, encode_field, pan_of
from loadtests.line import Line
from loadtests.plan import PURCHASE_CODE, PURCHASES_ONLY, build_pool
from loadtests.takeover_process import HOST

POOL_SIZE: Final = 1 << 13
AMOUNT: Final = 100
KNOCK_EVERY_S: Final = 0.01
ANSWER_WITHIN_S: Final = 2.0
APPROVED_WITHIN_S: Final = 120.0
SWEEP_EVERY_S: Final = 0.25
SETTLED_WITHIN_S: Final = 40.0
SPECIAL_FROM: Final = 96
"""From here on the last two digits of a demo card's serial bring a refusal."""


@dataclass(slots=True, kw_only=True)
class Service:
    """When a terminal was served again, and what it met before; moments of perf_counter_ns."""

    connected_ns: int = 0
    approved_ns: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0


class Knocker:
    """One terminal that knocks until it may connect, and buys until a purchase is approved."""

    def __init__(self, fleet: Fleet, cards: int) -> None:
        self._fleet = fleet
        self._terminal = fleet.terminals[-1]  # Shoppers take theirs from the other end.
        self._serials = cycle(one for one in range(1, cards + 1) if one % 100 < SPECIAL_FROM)

    async def until_approved(self, port: int) -> Service:
        """Return once a purchase was approved at this port; ``CommandFailed`` if none ever is."""
        service = Service()
        try:
            async with asyncio.timeout(APPROVED_WITHIN_S):
                while not service.approved_ns:
                    try:
                        await self._buy(port, service)
                    except (OSError, asyncio.IncompleteReadError):
                        await asyncio.sleep(KNOCK_EVERY_S)
        except TimeoutError:
            message = f"no purchase was approved within {APPROVED_WITHIN_S:.0f} s"
            raise CommandFailed(message) from None
        return service

    async def _buy(self, port: int, service: Service) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        service.connected_ns = service.connected_ns or perf_counter_ns()
        serial, stan = next(self._serials), self._terminal.next_stan()
        belief = self._fleet.belief
        number = belief.open(self._terminal.index, stan, facts(serial, AMOUNT))
        service.unanswered += 1
        try:
            writer.write(self._purchase(serial, stan))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                head = await reader.readexactly(2)
                frame = head + await reader.readexactly(int.from_bytes(head, "big"))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        answered_ns = perf_counter_ns()
        _, fields = decode_frame(frame)
        service.unanswered -= 1
        belief.answered(number, fields[39].encode())
        if fields[39] == "00":
            service.approved_ns = answered_ns
        else:
            service.refused[fields[39]] += 1

    def _purchase(self, serial: int, stan: int) -> bytes:
        body = encode_field(2, pan_of(serial)) + encode_field(3, PURCHASE_CODE)
        body += encode_field(4, str(AMOUNT)) + stan_bytes(stan)
        return PURCHASE_HEAD + body + self._fleet.time_bytes() + self._terminal.tail


class Shoppers:
    """Terminals on a standing connection each that buy all the time, until something strikes."""

    def __init__(self, fleet: Fleet, *, in_flight: int, cards: int, seed: str) -> None:
        fleet.pool = build_pool(seed, PURCHASES_ONLY, cards, size=POOL_SIZE)
        fleet.is_open = True
        self._fleet = fleet
        self._lost = [asyncio.Event() for _ in range(in_flight)]
        self._lines = [
            Line(Crew(fleet, [terminal], refills=True), slots=1, on_lost=lost.set)
            for terminal, lost in zip(fleet.terminals, self._lost, strict=False)
        ]

    async def dial(self, port: int) -> None:
        """Open all connections; each begins to buy when it is first open."""
        loop = asyncio.get_running_loop()
        for line, lost in zip(self._lines, self._lost, strict=True):
            lost.clear()
            await loop.create_connection(partial(_itself, line), HOST, port)

    async def hang_up(self) -> None:
        """Close all connections and wait until they are closed."""
        for line, lost in zip(self._lines, self._lost, strict=True):
            line.close()
            await lost.wait()

    def stop(self) -> int:
        """Begin nothing new; return how many requests wait for their answer now."""
        self._fleet.is_open = False
        return self._open_requests()

    async def settle(self, port: int) -> int:
        """Reverse at this port what stays unanswered for 10 s, as every terminal does.

        Returns how many requests have no answer even so.
        """
        await self.hang_up()
        await self.dial(port)
        for _ in range(round(SETTLED_WITHIN_S / SWEEP_EVERY_S)):
            if not self._open_requests():
                break
            await asyncio.sleep(SWEEP_EVERY_S)
            for line in self._lines:
                line.sweep()
        await self.hang_up()
        return self._open_requests()

    def _open_requests(self) -> int:
        return sum(line.crew.open_requests() for line in self._lines)


def _itself(line: Line) -> Line:
    return line
