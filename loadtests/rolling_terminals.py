"""Terminals that buy at a rate of their own at two bridges, and go on at the other when one goes.

Purchases come when they come, however long others wait. A terminal dials its own bridge first and
the other one when that is closed; what hears nothing, or loses its line, is reversed until the
reversal is answered. They take down what they believe, so that the books can be checked.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from time import perf_counter_ns
from typing import Any, Final, NamedTuple

from loadtests.arrivals import follow, poisson_arrivals
from loadtests.belief import facts
from loadtests.chaos_wire import Fields, Late, Wire
from loadtests.fleet import UNANSWERED_AFTER_NS, Fleet, Terminal
from loadtests.frames import pan_of

PATIENCE_S: Final = UNANSWERED_AFTER_NS / 1e9
REDIAL_S: Final = 0.2
AMOUNTS: Final = (100, 5_000)
"""Sen; so little that no card comes near its balance or its limits."""

LIMITED: Final = 96
"""Last two digits of a demo card's serial that may pay three times a day only; nobody has one."""

DESERVED: Final = {97: "62", 98: "54", 99: "51"}
"""What a demo card brings on itself, by the last two digits of its serial; all others: 00."""

STRETCH_S: Final = 10
"""Arrivals are drawn for so long at a time."""

PROBLEMS_KEPT: Final = 8
ECHOED: Final = (2, 3, 4, 11, 12, 13, 41, 42)


class Sample(NamedTuple):
    """One purchase: when it was due, and how long it took until its verdict."""

    due_ns: int
    took_us: int | None  # None: it heard nothing.
    code: str
    is_deserved: bool  # Whether the card brought this code on itself.


@dataclass(slots=True, kw_only=True)
class Met:
    """What the terminals met beside verdicts."""

    lines_lost: int = 0  # Purchases whose line closed on them, or that found no bridge.
    unheard: int = 0  # Purchases that waited for ten seconds on a line that stood.
    undialled: int = 0  # Messages that found no bridge at all.
    reversals: int = 0
    late: int = 0
    wrong: int = 0
    dialled: Counter[int] = field(default_factory=Counter)  # By bridge.
    problems: list[str] = field(default_factory=list)

    def complain(self, problem: str, fields: Fields) -> None:
        """Count what breaks edc.md; the first few are kept, with no card data."""
        self.wrong += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(f"{problem} ({fields[41]}, STAN {fields[11]})")

    def figures(self) -> dict[str, Any]:
        """Return plain values for a result file."""
        return {
            "lines_lost": self.lines_lost, "unheard": self.unheard, "undialled": self.undialled,
            "reversals": self.reversals, "late": self.late, "wrong": self.wrong,
            "dialled": [self.dialled[at] for at in sorted(self.dialled)],
            "problems": self.problems,
        }  # fmt: skip


class Trade:
    """All terminals of a run; even ones keep a standing line, odd ones dial for each message."""

    def __init__(
        self,
        fleet: Fleet,
        ports: Sequence[int],
        *,
        cards: int,
        rate: float,
        seed: str,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.fleet = fleet
        self.patience_s = patience_s
        self.samples: list[Sample] = []
        self.met = Met()
        self._ports = ports
        self._rate = rate
        self._seed = seed
        self._random = Random(seed)  # noqa: S311 -- repeatable load, no secret
        self._serials = [one for one in range(1, cards + 1) if one % 100 != LIMITED]
        self._tills = [Till(self, terminal, ports) for terminal in fleet.terminals]
        self._turn = 0
        self._following: asyncio.Task[None] | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    def open(self) -> None:
        """Let purchases come from now on."""
        self._following = asyncio.create_task(self._follow(perf_counter_ns()))

    async def close(self, *, seconds: float) -> int:
        """Begin nothing new and wait until each purchase is answered or taken back.

        Returns how many are neither after ``seconds``. Raises what broke a terminal.
        """
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})
            self._following = None
        left = set[asyncio.Task[None]]()
        if self._open:
            _, left = await asyncio.wait(self._open, timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        if self._faults:
            raise self._faults[0]
        return len(left)

    async def hang_up(self) -> None:
        """Stop all terminals where they are and close their lines."""
        await self.close(seconds=0)
        await asyncio.gather(*(till.hang_up() for till in self._tills))

    def draw(self) -> tuple[int, int]:
        """Return a card's serial and an amount in sen."""
        return self._random.choice(self._serials), self._random.randint(*AMOUNTS)

    def dialled(self, port: int) -> None:
        """Note which bridge was dialled."""
        self.met.dialled[self._ports.index(port)] += 1

    async def _follow(self, origin_ns: int) -> None:
        for stretch in count():
            arrivals = poisson_arrivals(f"{self._seed} {stretch}", self._rate, STRETCH_S)
            begins_ns = origin_ns + stretch * STRETCH_S * 1_000_000_000
            await follow(arrivals, self._start, origin_ns=begins_ns)

    def _start(self, due_ns: int) -> None:
        till = self._tills[self._turn]
        self._turn = (self._turn + 1) % len(self._tills)
        task = asyncio.create_task(till.buy(due_ns))
        self._open.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)


class Till:
    """One terminal; several of its purchases may be under way at once."""

    def __init__(self, trade: Trade, terminal: Terminal, ports: Sequence[int]) -> None:
        self._trade = trade
        self._terminal = terminal
        own = terminal.index // 2 % len(ports)
        self._ports = (*ports[own:], *ports[:own])
        self._standing = [Socket(port, trade) for port in self._ports]
        self._is_standing = terminal.index % 2 == 0

    async def buy(self, due_ns: int) -> None:
        """Buy once; take it back when nothing is heard of it."""
        trade, terminal = self._trade, self._terminal
        serial, amount = trade.draw()
        stan = terminal.next_stan()
        fields = self._fields(stan, serial, amount)
        number = trade.fleet.belief.open(terminal.index, stan, facts(serial, amount))
        answer = await self._ask("0200", fields)
        if answer is None:
            self._note_silence(due_ns)
            await self._take_back(number, fields)
            return
        code, took_us = answer[39], (perf_counter_ns() - due_ns) // 1000
        is_deserved = code == DESERVED.get(serial % 100, "00")
        trade.samples.append(Sample(due_ns, took_us, code, is_deserved))
        trade.fleet.belief.answered(number, code.encode())
        if any(answer.get(name) != fields[name] for name in ECHOED):
            trade.met.complain("an answer does not echo its request", fields)
        if code == "00" and not (answer.get(37) and answer.get(38)):
            trade.met.complain("an approval without DE37 or DE38", fields)

    async def hang_up(self) -> None:
        """Close the standing lines."""
        for socket in self._standing:
            await socket.hang_up()

    def _note_silence(self, due_ns: int) -> None:
        trade = self._trade
        trade.samples.append(Sample(due_ns, None, "", is_deserved=True))
        if perf_counter_ns() - due_ns >= trade.patience_s * 1e9:
            trade.met.unheard += 1
        else:
            trade.met.lines_lost += 1

    async def _take_back(self, number: int, fields: Fields) -> None:
        met, mti = self._trade.met, "0400"
        while (answer := await self._ask(mti, fields)) is None:
            mti = "0401"
            await asyncio.sleep(REDIAL_S)
        met.reversals += 1
        if answer[39] == "00":
            self._trade.fleet.belief.reversed(number)
        else:
            met.complain(f"a reversal heard {answer[39]}", fields)

    async def _ask(self, mti: str, fields: Fields) -> Fields | None:
        """Ask on the line that stands, else at our own bridge, else at the other one."""
        sockets = self._standing
        if not self._is_standing:
            sockets = [Socket(port, self._trade) for port in self._ports]
        for socket in sorted(sockets, key=_is_down):
            if await socket.dial():
                try:
                    return await socket.ask(mti, fields, seconds=self._trade.patience_s)
                finally:
                    if not self._is_standing:
                        await socket.hang_up()
        self._trade.met.undialled += 1
        return None

    def _fields(self, stan: int, serial: int, amount: int) -> Fields:
        fleet, terminal = self._trade.fleet, self._terminal
        return {
            2: pan_of(serial), 3: "000000", 4: f"{amount:012d}", 11: f"{stan:06d}",
            12: fleet.time_bytes().hex(), 13: f"{fleet.day:%m%d}", 22: "051", 24: "003",
            41: terminal.name.decode(), 42: f"BUMA{terminal.index + 1:011d}", 49: "360",
        }  # fmt: skip


class Socket(Wire):
    """A line that says whether it could be dialled."""

    def __init__(self, port: int, trade: Trade) -> None:
        super().__init__(port, self._late)
        self._trade = trade
        self._dialling = asyncio.Lock()

    @property
    def is_up(self) -> bool:
        """Tell whether it stands."""
        return self._writer is not None

    async def dial(self) -> bool:
        """Dial unless it stands; False where nobody is."""
        async with self._dialling:
            if self.is_up:
                return True
            is_up = await self._dialled()
            if is_up:
                self._trade.dialled(self._port)
            return is_up

    def _late(self, late: Late) -> None:
        """Take an answer that came after the terminal's patience, which is longer than ours."""
        met = self._trade.met
        met.late += 1
        if late.mti == "0210" and late.fields[39] == "00":
            met.complain("an approval came after its time", late.fields)


def _is_down(socket: Socket) -> bool:
    return not socket.is_up
