"""One kill round: traffic, strike, healing, settling, and what must be true afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from loadtests.belief import Belief, State
from loadtests.books import Books, check_books
from loadtests.chaos_entries import EntriesReader
from loadtests.chaos_scene import BRIDGES, Moment, Scene
from loadtests.chaos_strikes import Strike
from loadtests.commands import CommandFailed
from loadtests.stack import Stack, Tell

ANSWERED_BEFORE: Final = 150
ANSWERED_AFTER: Final = 100
PAUSE_S: Final = 0.2
FLOWS_WITHIN_S: Final = 40.0
HEALTHY_WITHIN_S: Final = 60.0
SETTLED_WITHIN_S: Final = 90.0
PROMPT: Final = 0.5
"""Healed within this share of the time for which a bridge waits, what was booked is answered."""

TRIES_MAX: Final = 3
NOT_PROCESSED: Final = 96
UNEXPLAINED: Final = "a verdict that the demo card does not explain"
SERVICES: Final = ("admin", "card_ledger", "authorization")
KEPT: Final = (State.APPROVED, State.REFUSED)


@dataclass(slots=True, kw_only=True)
class Round:
    """What one try of a strike gave; problems make it red, whether it counts or not."""

    strike: str
    kills: int = 0
    unanswered: int = 0
    booked: int = 0
    answered_later: int = 0  # Of those booked: heard their verdict and were not taken back.
    healthy_s: float = 0.0
    served_s: float = 0.0
    settled_s: float = 0.0
    seconds: float = 0.0
    counts: bool = False
    is_quiet: bool = False  # It hits nobody, so that there is no moment to count.
    others: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return plain values for a result file."""
        return {
            "strike": self.strike, "kills": self.kills, "unanswered": self.unanswered,
            "booked": self.booked, "answered_later": self.answered_later,
            "healthy_s": self.healthy_s, "served_s": self.served_s, "settled_s": self.settled_s,
            "seconds": round(self.seconds, 2), "counts": self.counts, **self.others,
            "problems": self.problems, "verdict": "clean" if not self.problems else "BROKEN",
        }  # fmt: skip


class Rounds:
    """Plays rounds on one scene; the books are checked after each."""

    def __init__(self, scene: Scene, entries: EntriesReader, tell: Tell) -> None:
        self._scene = scene
        self._entries = entries
        self._tell = tell

    async def play(self, strike: Strike) -> list[Round]:
        """Play until a round counts or is broken, three times at most; return all tries."""
        tries = []
        for _ in range(TRIES_MAX):
            found = await self._play_once(strike)
            tries.append(found)
            if found.counts or found.problems:
                break
        return tries

    async def _play_once(self, strike: Strike) -> Round:
        scene, began = self._scene, monotonic()
        found = Round(strike=strike.name, kills=strike.kills, is_quiet=strike.is_quiet)
        pids = {name: member.pid for name, member in scene.stack.members.items()}
        said = count_tracebacks(scene.stack)
        try:
            await strike.prepare(scene)
            moment = await self._strike(strike, found)
            await self._settle(moment, found)
            await self._judge(strike, found)
            found.problems += strangers(strike, scene.stack, pids)
            await strike.restore(scene)
            await self._check_books(found)
        except CommandFailed as failed:
            found.problems.append(str(failed))
            await scene.market.hang_up()  # What was not settled must not disturb the next round.
        if count_tracebacks(scene.stack) > said:
            found.problems.append("a traceback in a log")
        found.problems += late_answers(strike, found, scene.answer_s)
        found.seconds = monotonic() - began
        self._tell(line_of(found))
        return found

    async def _strike(self, strike: Strike, found: Round) -> Moment:
        """Let traffic flow, strike in the middle of it, heal, and wait until it flows again."""
        scene, market = self._scene, self._scene.market
        market.next_seen()
        market.crosses, market.pause_s = strike.crosses, 0.0
        market.open()
        if not await market.until_answered(ANSWERED_BEFORE, seconds=FLOWS_WITHIN_S):
            message = f"the terminals were not served before the strike: {market.seen.codes}"
            raise CommandFailed(message)
        moment = await strike.hit(scene)
        market.pause_s = PAUSE_S  # The books stay small enough to be verified often.
        found.unanswered, found.booked = len(moment.unanswered), len(moment.booked)
        found.counts = moment.counts or strike.is_quiet
        await strike.heal(scene)
        healed = monotonic()
        found.healthy_s = await scene.until_healthy(strike.serving(scene), seconds=HEALTHY_WITHIN_S)
        if not await market.until_answered(ANSWERED_AFTER, seconds=FLOWS_WITHIN_S):
            found.problems.append("the terminals were not served after the strike")
        found.served_s = round(monotonic() - healed, 2)
        return moment

    async def _settle(self, moment: Moment, found: Round) -> None:
        """Let every purchase come to its end."""
        market, began = self._scene.market, monotonic()
        if unsettled := await market.close(seconds=SETTLED_WITHIN_S):
            found.problems.append(f"{unsettled} purchases are neither answered nor taken back")
        found.settled_s = round(monotonic() - began, 2)
        verdicts = market.verdicts(moment.booked)
        found.answered_later = sum(verdicts[state] for state in KEPT)
        seen = market.next_seen()
        found.problems += seen.problems
        found.others |= {
            "codes": dict(sorted(seen.codes.items())), "silent": seen.silent,
            "repeats_answered": seen.repeated, "crossed": seen.crossed,
            "reversals": seen.reversals, "late": seen.late,
        }  # fmt: skip
        if market.crosses and not seen.crossed:
            found.problems.append("no key was answered by both bridges")

    async def _judge(self, strike: Strike, found: Round) -> None:
        others = await strike.judge(self._scene)
        found.problems += others.pop("problems", [])
        found.others |= others

    async def _check_books(self, found: Round) -> None:
        fleet = self._scene.market.fleet
        books = await check_books(self._scene.stack.dsn, fleet.belief, fleet.day)
        forgive_not_processed(books, fleet.belief)
        found.problems += [f"{what}: {count}" for what, count in books.contradictions.items()]
        found.problems += books.examples
        judged = await self._entries.look()
        found.problems += judged.problems
        found.others |= {
            "keys": books.keys, "batches": judged.batches, "entries_asked_for": judged.missing,
            "entries_of_lost_log": judged.lost,
        }  # fmt: skip


def forgive_not_processed(books: Books, belief: Belief) -> None:
    """Let a stored 96 count as a verdict: new money that came before the registry was read again.

    Whoever cannot show that the registry is read takes none (DESIGN 7).
    """
    count = sum(code == NOT_PROCESSED for code in belief.codes)
    if count and books.contradictions[UNEXPLAINED] == count:
        del books.contradictions[UNEXPLAINED]
        books.examples = [one for one in books.examples if not one.startswith(UNEXPLAINED)]


def strangers(strike: Strike, stack: Stack, pids: dict[str, int]) -> list[str]:
    """Find members that were not struck and yet ended or are other processes now."""
    return [
        f"{name} is not the process that it was"
        for name, pid in pids.items()
        if name in stack.members
        and name not in strike.touched()
        and (not stack[name].is_running or stack[name].pid != pid)
    ]


def late_answers(strike: Strike, found: Round, answer_s: float) -> list[str]:
    """Find answers that were lost although whoever owes them was back soon."""
    due = strike.answers_come and found.counts and found.healthy_s <= PROMPT * answer_s
    if due and found.answered_later < found.booked:
        left = found.booked - found.answered_later
        return [f"{left} of {found.booked} booked purchases were not answered after healing"]
    return []


def count_tracebacks(stack: Stack) -> int:
    """Count what no log should hold."""
    return sum(member.count_said("Traceback") for member in stack.members.values())


def line_of(found: Round) -> str:
    """Return one line for a person who watches."""
    state = "BROKEN" if found.problems else "clean" if found.counts else "does not count"
    fenced = f", fenced {found.others['fenced']}" if "fenced" in found.others else ""
    return (
        f"{found.strike:44} {found.unanswered:4} unanswered, {found.booked:4} booked,"
        f" {found.answered_later:4} answered later{fenced}; healthy {found.healthy_s:5.1f} s,"
        f" settled {found.settled_s:5.1f} s, {found.seconds:5.1f} s: {state}"
        + "".join(f"\n    {problem}" for problem in found.problems)
    )


def prepare_stack(stack: Stack, settings: dict[str, str]) -> Sequence[str]:
    """Add one process of each service and a second bridge; return their names."""
    for service in SERVICES:
        stack.add(service, **settings)
    for number, name in enumerate(BRIDGES):
        partition = {"LESKO_ISO_BRIDGE__ANSWER_PARTITION": str(number)}
        stack.add("iso_bridge", name=name, **settings, **partition)
    return tuple(stack.members)
