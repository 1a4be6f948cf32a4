"""Terminals that buy, repeat and reverse as EDCs do, and take down what they believe of each key.

A terminal has one purchase at a time. Silence, or a lost line, is reversed until the reversal is
answered; half of the terminals repeat the purchase once before that, at the other bridge.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple, Protocol

from loadtests.belief import State, facts
from loadtests.chaos_wire import Fields, Late, Wire
from loadtests.fleet import Fleet, Terminal
from loadtests.frames import pan_of

REDIAL_S: Final = 0.1
LOOK_S: Final = 0.01
PROBLEMS_KEPT: Final = 8
SETTLED_KEPT: Final = 100
Verdict = tuple[str | None, ...]
"""DE37, 38 and 39: what a repeat must hear again."""


class Asks(Protocol):
    """A line to one bridge."""

    async def ask(self, mti: str, fields: Fields, *, seconds: float) -> Fields | None:
        """As Wire.ask."""

    async def hang_up(self) -> None:
        """As Wire.hang_up."""


Dial = Callable[[int, Callable[[Late], None]], Asks]


class Key(NamedTuple):
    """One purchase by the two numbers that name it on the wire."""

    terminal: str
    stan: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the terminals met since the last look."""

    codes: Counter[str] = field(default_factory=Counter)
    silent: int = 0  # Purchases that nobody answered in time.
    repeated: int = 0  # Repeats that were answered.
    crossed: int = 0  # Purchases that both bridges answered alike.
    reversals: int = 0
    late: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def complain(self, problem: str, key: Key) -> None:
        """Count what breaks edc.md; the first few are kept."""
        self.wrong += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(f"{problem} ({key.terminal}, STAN {key.stan:06d})")


class Market:
    """All terminals of a run; ``ports``: the bridges. Patience in seconds."""

    def __init__(
        self,
        fleet: Fleet,
        ports: Sequence[int],
        *,
        cards: int,
        patience_s: float,
        seed: str,
        dial: Dial = Wire,
    ) -> None:
        self.fleet = fleet
        self.patience_s = patience_s
        self.ports = tuple(ports)
        self.is_open = False
        self.pause_s = 0.0  # Between a terminal's purchases.
        self.crosses = False  # A third of the purchases go to both bridges at once.
        self.unsettled: dict[int, Key] = {}  # By number of the belief.
        self.answered = 0  # Verdicts heard so far.
        self.seen = Seen()
        self._cards = cards
        self._random = Random(seed)  # noqa: S311 -- repeatable load, no secret
        self._tills = [
            Till(self, at, terminal, dial) for at, terminal in enumerate(fleet.terminals)
        ]
        self._trading: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Let all terminals buy without a pause."""
        self.is_open = True
        self._trading = [asyncio.create_task(till.trade()) for till in self._tills]

    async def until_answered(self, more: int, *, seconds: float) -> bool:
        """Wait for so many further verdicts; tell whether they came."""
        wanted, end = self.answered + more, asyncio.get_running_loop().time() + seconds
        while self.answered < wanted:
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def close(self, *, seconds: float) -> int:
        """Begin nothing new and wait until each purchase is answered or taken back.

        Returns how many are neither after ``seconds``. Raises what broke a terminal.
        """
        self.is_open = False
        if not self._trading:
            return 0
        done, left = await asyncio.wait(self._trading, timeout=seconds)
        for task in left:
            task.cancel()
        await asyncio.wait(self._trading)
        self._trading = []
        for task in done:
            task.result()
        return len(left)

    async def hang_up(self) -> None:
        """Stop all terminals where they are and close their lines."""
        await self.close(seconds=0)
        await asyncio.gather(*(till.hang_up() for till in self._tills))

    def next_seen(self) -> Seen:
        """Begin a new count and return the one that ends here."""
        ended, self.seen = self.seen, Seen()
        return ended

    def draw(self) -> tuple[int, int]:
        """Return a card's serial and an amount in sen."""
        return self._random.randint(1, self._cards), self._random.randint(100, 5_000)

    def verdicts(self, numbers: Sequence[int]) -> Counter[State]:
        """Count what is believed of these keys now."""
        return Counter(State(self.fleet.belief.states[number]) for number in numbers)


class Till:
    """One terminal with a line to each bridge."""

    def __init__(self, market: Market, at: int, terminal: Terminal, dial: Dial) -> None:
        self._market = market
        self._at = at
        self._terminal = terminal
        self._home = at % len(market.ports)
        self._settled: dict[int, Verdict | None] = {}
        self._wires = [dial(port, self._late) for port in market.ports]

    async def trade(self) -> None:
        """Buy until the market closes; the last purchase is brought to its end."""
        self._home = self._at % len(self._wires)
        while self._market.is_open:
            await self._buy()
            if self._market.pause_s:
                await asyncio.sleep(self._market.pause_s)

    async def hang_up(self) -> None:
        """Close all lines."""
        for wire in self._wires:
            await wire.hang_up()

    async def _buy(self) -> None:
        market, terminal = self._market, self._terminal
        serial, amount = market.draw()
        stan = terminal.next_stan()
        key = self._key(stan)
        fields = self._fields(key, serial, amount)
        number = market.fleet.belief.open(terminal.index, stan, facts(serial, amount))
        market.unsettled[number] = key
        try:
            answer = await self._first_answer(key, fields)
            if answer is None:
                market.seen.silent += 1
                await self._take_back(number, key, fields)
            else:
                market.answered += 1
                market.seen.codes[answer[39]] += 1
                market.fleet.belief.answered(number, answer[39].encode())
                self._settle(stan, _verdict(answer))
        finally:
            del market.unsettled[number]

    async def _first_answer(self, key: Key, fields: Fields) -> Fields | None:
        seen = self._market.seen
        if self._market.crosses and self._at % 3 == 0:
            one, two = await asyncio.gather(
                self._ask("0200", fields), self._ask("0201", fields, at=self._home + 1)
            )
            if one and two:
                seen.crossed += 1
                if _verdict(one) != _verdict(two):
                    seen.complain("two bridges answered one key differently", key)
            answer = one or two
        else:
            answer = await self._ask("0200", fields)
        if answer is None and self._at // 2 % 2 == 0:  # Half of those at each bridge.
            await self._turn()
            answer = await self._ask("0201", fields)
            seen.repeated += answer is not None
        if answer is not None:
            self._check(key, fields, answer)
        return answer

    async def _take_back(self, number: int, key: Key, fields: Fields) -> None:
        mti = "0400"
        await self._turn()
        while (answer := await self._ask(mti, fields)) is None:
            mti = "0401"
            await self._turn()
        self._market.seen.reversals += 1
        if answer[39] == "00":
            self._market.fleet.belief.reversed(number)
            self._settle(key.stan, None)
        else:
            self._market.seen.complain(f"a reversal heard {answer[39]}", key)

    async def _ask(self, mti: str, fields: Fields, *, at: int | None = None) -> Fields | None:
        wire = self._wires[(self._home if at is None else at) % len(self._wires)]
        return await wire.ask(mti, fields, seconds=self._market.patience_s)

    async def _turn(self) -> None:
        """Go to the other bridge, after the pause in which an EDC dials."""
        self._home = (self._home + 1) % len(self._wires)
        await asyncio.sleep(REDIAL_S)

    def _check(self, key: Key, fields: Fields, answer: Fields) -> None:
        if any(answer.get(number) != fields[number] for number in (2, 3, 4, 11, 13, 41, 42)):
            self._market.seen.complain("an answer does not echo its request", key)
        if answer[39] == "00" and not (answer.get(37) and answer.get(38)):
            self._market.seen.complain("an approval without DE37 or DE38", key)

    def _late(self, late: Late) -> None:
        """Take an answer that nobody waits for: a bridge slept, or two were asked."""
        seen, stan = self._market.seen, int(late.fields[11])
        seen.late += 1
        if late.mti != "0210" or stan not in self._settled:
            return
        heard = self._settled[stan]
        if heard is None and late.fields[39] == "00":
            seen.complain("an approval came after its reversal", self._key(stan))
        elif heard is not None and heard != _verdict(late.fields):
            seen.complain("a second answer differs from the first", self._key(stan))

    def _settle(self, stan: int, verdict: Verdict | None) -> None:
        """Remember for a while what became of a purchase; None: it was taken back."""
        self._settled[stan] = verdict
        self._settled.pop(stan - SETTLED_KEPT, None)

    def _key(self, stan: int) -> Key:
        return Key(self._terminal.name.decode(), stan)

    def _fields(self, key: Key, serial: int, amount: int) -> Fields:
        fleet = self._market.fleet
        return {
            2: pan_of(serial), 3: "000000", 4: f"{amount:012d}", 11: f"{key.stan:06d}",
            12: fleet.time_bytes().hex(), 13: f"{fleet.day:%m%d}", 22: "051", 24: "003",
            41: key.terminal, 42: f"BUMA{self._terminal.index + 1:011d}", 49: "360",
        }  # fmt: skip


def _verdict(answer: Fields) -> Verdict:
    return answer.get(37), answer.get(38), answer.get(39)
