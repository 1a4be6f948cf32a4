"""What goes wrong in a seed: which kinds, how often, and every draw of it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final

from tests.simulation.loop import LIFE, OUTSIDE, SeededLoop


class Kind(StrEnum):
    """The kinds of fault; a seed has some of them."""

    LOSS = "loss"  # A message between terminal and bridge is lost, either way.
    DELAY = "delay"  # It takes seconds.
    DUPLICATE = "duplicate"  # It comes twice.
    SLOW_BUS = "slow_bus"
    SEND_UNKNOWN = "send_unknown"  # A send is not confirmed; part of it may come later.
    BUS_AWAY = "bus_away"
    TAIL_LOST = "tail_lost"
    NEW_BROKER = "new_broker"
    POSITIONS_LOST = "positions_lost"  # Acknowledgements do not reach the broker for long.
    STORE_AWAY = "store_away"
    STORE_SLOW = "store_slow"
    COMMIT_UNKNOWN = "commit_unknown"
    KILL = "kill"
    PAUSE = "pause"  # Of a process, up to 20 s: leases run out meanwhile.
    TWO_OWNERS = "two_owners"  # A second ledger stands by.
    REGISTRY_STALLED = "registry_stalled"
    CLOCK_STEP = "clock_step"
    OPERATOR = "operator"  # Cards are blocked, terminals paused, and back.
    POWER = "power"  # A terminal reboots.
    MISTAKE = "mistake"  # A terminal uses a number again for something else.
    POISON = "poison"  # Records that nobody can read stand on the topics.


KINDS_MIN: Final = 4
_MS: Final = 1_000


@dataclass(slots=True)
class Faults:
    """All draws of one seed; ``stop`` ends everything that is going wrong."""

    random: Random
    loop: SeededLoop
    kinds: frozenset[Kind]
    rates: dict[Kind, float]
    is_on: bool = True
    bus_is_away: bool = False
    store_is_away: bool = False
    registry_is_stalled: bool = False
    met: Counter[Kind] = field(default_factory=Counter)

    @classmethod
    def drawn(cls, random: Random, loop: SeededLoop, *, without: frozenset[Kind]) -> "Faults":
        """Draw kinds by coin, at least four of them, then a rate for each."""
        kinds = [kind for kind in Kind if random.random() < 0.5]
        while len(kinds) < KINDS_MIN:
            kinds.append(random.choice([kind for kind in Kind if kind not in kinds]))
        rates = {kind: random.choice((0.02, 0.08, 0.25)) for kind in Kind}
        return cls(random, loop, frozenset(kinds) - without, rates)

    def stop(self) -> None:
        """Heal everything and let nothing new happen."""
        self.is_on = False
        self.bus_is_away = self.store_is_away = self.registry_is_stalled = False

    def happens(self, kind: Kind) -> bool:
        """Draw whether it happens here and now."""
        if not self.is_on or kind not in self.kinds:
            return False
        if self.random.random() >= self.rates[kind]:
            return False
        self.met[kind] += 1
        return True

    def between(self, least: float, most: float) -> float:
        """Draw a number."""
        return self.random.uniform(least, most)

    def shuffled(self, numbers: list[int]) -> list[int]:
        """Draw an order: partitions know nothing of one another."""
        self.random.shuffle(numbers)
        return numbers

    def batch(self, records_max: int) -> int:
        """Draw how many records a fetch brings."""
        return min(records_max, self.random.choice((1, 2, 5, 50))) if self.is_on else records_max

    async def on_the_way(self) -> None:
        """Let time pass, or at least others have their turn, as every call to somebody does."""
        if self.happens(Kind.SLOW_BUS):
            await asyncio.sleep(self.random.uniform(0, 0.5))
        elif self.random.random() < 0.5:
            await asyncio.sleep(self.random.uniform(0, 0.006))
        else:
            await asyncio.sleep(0)

    def lag_s(self) -> float:
        """Draw when an acknowledgement reaches the broker."""
        return self.random.uniform(0, 20 if self.happens(Kind.POSITIONS_LOST) else 0.2)

    def fate_of_send(self, count: int) -> tuple[int, float] | None:
        """Draw what becomes of a send: None: confirmed; else how many arrive, and when the rest."""
        if not self.happens(Kind.SEND_UNKNOWN):
            return None
        arrived = self.random.randint(0, count)
        return arrived, self.random.choice((0.0, self.random.uniform(0.1, 15)))

    def later(self, seconds: float, what: Callable[..., None], *args: Any) -> None:
        """Let the world do something later, whoever lives then."""
        context_life = LIFE.set(OUTSIDE)
        try:
            self.loop.call_later(seconds, what, *args)
        finally:
            LIFE.reset(context_life)
