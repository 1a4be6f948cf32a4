"""Where kill rounds take place: the stack, its terminals, and a look into the books."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

import asyncpg

from libs.contracts.keys import business_key
from loadtests.belief import State
from loadtests.chaos_terminals import Key, Market
from loadtests.commands import CommandFailed
from loadtests.stack import Stack

UNANSWERED_MIN: Final = 20
MOMENTS_MAX: Final = 60
ARRIVES_S: Final = 0.03
GOES_ON_S: Final = 0.02
STEADY_S: Final = 1.2
"""So long all must be ready without a break: what watches the surroundings looks once a second."""

LOOK_S: Final = 0.15
BRIDGES: Final = ("iso_bridge", "iso_bridge-2")

BOOKED: Final = """
    SELECT terminal, stan FROM card_ledger.transfer
     WHERE key_day = $1 AND key = ANY ($2::bytea[]) AND kind = 1 AND outcome = 1
"""


class Moment(NamedTuple):
    """What stood open when it struck: numbers of the belief."""

    unanswered: tuple[int, ...]
    booked: tuple[int, ...]  # Of them.

    @property
    def counts(self) -> bool:
        """Tell whether money was at stake."""
        return len(self.unanswered) >= UNANSWERED_MIN and bool(self.booked)


class Scene:
    """One stack with its terminals, for one round after the other."""

    def __init__(self, stack: Stack, market: Market, *, freeze_s: float, answer_s: float) -> None:
        self.stack = stack
        self.market = market
        self.freeze_s = freeze_s
        self.answer_s = answer_s  # So long a bridge waits for an answer.
        self._connection: asyncpg.Connection[Any] | None = None

    async def close(self) -> None:
        """Close the look into the books."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def freeze(self, names: Sequence[str]) -> None:
        """Stop these members where they are."""
        for name in names:
            self.stack[name].freeze()

    def wake(self, names: Sequence[str]) -> None:
        """Let those of them go on that are still there."""
        for name in names:
            if self.stack[name].is_running:
                self.stack[name].wake()

    async def strike(
        self, held: Sequence[str], deed: Callable[["Scene"], Awaitable[None]]
    ) -> Moment:
        """Do the deed in a moment in which purchases are booked and unanswered; return that moment.

        ``held`` stand still meanwhile, so that no answer slips through; the deed decides what
        becomes of those that it hits, the others go on afterwards.
        """
        moment = await self._held(held)
        for _ in range(MOMENTS_MAX):
            if moment.counts:
                break
            self.wake(held)
            await asyncio.sleep(GOES_ON_S)
            moment = await self._held(held)
        await deed(self)
        return self.still_open(moment)

    async def _held(self, held: Sequence[str]) -> Moment:
        self.freeze(held)
        await asyncio.sleep(ARRIVES_S)  # What they had written arrives.
        return await self.look()

    async def look(self) -> Moment:
        """Look at terminals and books now."""
        unsettled = dict(self.market.unsettled)
        booked = await self._booked(list(unsettled.values()))
        numbers = tuple(number for number, key in unsettled.items() if key in booked)
        return self.still_open(Moment(tuple(unsettled), numbers))

    def still_open(self, moment: Moment) -> Moment:
        """Leave out what was answered since."""
        states = self.market.fleet.belief.states
        return Moment(
            tuple(one for one in moment.unanswered if states[one] == State.UNANSWERED),
            tuple(one for one in moment.booked if states[one] == State.UNANSWERED),
        )

    async def until_healthy(self, names: Sequence[str], *, seconds: float) -> float:
        """Wait until all these are ready and stay so; return after how long they were.

        ``CommandFailed`` when they are not within ``seconds``, or when one of them has ended.
        """
        began = bad = monotonic()
        while monotonic() - bad < STEADY_S:
            if unready := await self._unready(names):
                bad = monotonic()
                if bad - began > seconds:
                    told = {name: await self.stack[name].problems() for name in unready}
                    message = f"not healthy within {seconds:.0f} s: {told}"
                    raise CommandFailed(message)
            await asyncio.sleep(LOOK_S)
        return round(bad - began, 2)

    async def _unready(self, names: Sequence[str]) -> list[str]:
        for name in names:
            if not self.stack[name].is_running:
                message = f"{name} has ended: {self.stack[name].last_words()}"
                raise CommandFailed(message)
        ready = await asyncio.gather(*(self.stack[name].is_ready() for name in names))
        return [name for name, is_ready in zip(names, ready, strict=True) if not is_ready]

    async def _booked(self, keys: Sequence[Key]) -> set[Key]:
        day = self.market.fleet.day
        hashed = [business_key(day, key.terminal, f"{key.stan:06d}") for key in keys]
        try:
            connection = await self._connected()
            rows = await connection.fetch(BOOKED, day, hashed, timeout=10)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.close()  # It was killed in an earlier round: look again over a new line.
            rows = await (await self._connected()).fetch(BOOKED, day, hashed, timeout=10)
        return {Key(row["terminal"], row["stan"]) for row in rows}

    async def _connected(self) -> "asyncpg.Connection[Any]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.stack.dsn)
        return self._connection
