"""What is asked of the books after a run: balance, one effect a key, what the terminals believe."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

import asyncpg

from libs.outcome import Outcome
from loadtests.belief import NO_CODE, Belief, Believed, State

EXAMPLES_KEPT: Final = 5
LATE: Final = 68
APPROVED: Final = Outcome.APPROVED.number

BALANCES: Final = """
    WITH side AS (
        SELECT debit AS account, id, -amount AS moved, debit_after AS after
          FROM card_ledger.transfer WHERE debit_seq > 0
        UNION ALL
        SELECT credit, id, amount, credit_after
          FROM card_ledger.transfer WHERE debit_seq > 0
    ), last AS (
        SELECT DISTINCT ON (account) account, after FROM side ORDER BY account, id DESC
    ), total AS (
        SELECT account, sum(moved) AS moved, min(after) AS lowest FROM side GROUP BY account
    )
    SELECT count(*) AS accounts, coalesce(sum(after), 0)::bigint AS sum,
           count(*) FILTER (WHERE after <> moved) AS unlike_rows,
           count(*) FILTER (WHERE lowest < 0 AND account >> 56 = 1) AS purses_below_zero
      FROM last JOIN total USING (account)
"""

BELIEF_TABLE: Final = """
    CREATE TEMP TABLE belief (
        terminal text, stan int, card int, amount bigint, state smallint, code smallint
    )
"""

JOINED: Final = """
    WITH effect AS (
        SELECT terminal, stan, count(DISTINCT key) AS keys,
               sum(amount) FILTER (WHERE kind = 1 AND debit_seq > 0) AS paid,
               sum(amount) FILTER (WHERE kind = 5 AND debit_seq > 0) AS given_back,
               min(outcome) FILTER (WHERE kind = 1 AND outcome <> 1) AS refusal,
               count(*) FILTER (WHERE kind = 11) AS tombstones,
               count(*) FILTER (WHERE kind NOT IN (1, 5, 11)) AS others
          FROM card_ledger.transfer WHERE key_day = $1 AND terminal <> ''
         GROUP BY terminal, stan
    )
    SELECT b.terminal, b.stan, b.card, b.amount, b.state, b.code,
           e.terminal AS booked, e.stan AS booked_stan,
           coalesce(e.keys, 0), coalesce(e.paid, 0)::bigint, coalesce(e.given_back, 0)::bigint,
           e.refusal, coalesce(e.tombstones, 0), coalesce(e.others, 0)
      FROM belief b FULL JOIN effect e ON e.terminal = b.terminal AND e.stan = b.stan
"""


class Effect(NamedTuple):
    """What the ledger holds of one terminal's STAN on one day; amounts in sen."""

    keys: int = 0
    paid: int = 0
    given_back: int = 0
    refusal: int | None = None  # Outcome number.
    tombstones: int = 0
    others: int = 0


@dataclass(slots=True, kw_only=True)
class Books:
    """What was found; clean when nothing contradicts the promises."""

    sum: int = 0
    accounts: int = 0
    keys: int = 0
    contradictions: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every check held."""
        return not self.contradictions

    def contradict(self, what: str, example: str = "", count: int = 1) -> None:
        """Take a contradiction down; the first few examples are kept."""
        self.contradictions[what] += count
        if example and len(self.examples) < EXAMPLES_KEPT:
            self.examples.append(f"{what}: {example}")

    def figures(self) -> dict[str, Any]:
        """Return plain values for a result file."""
        return {
            "is_clean": self.is_clean,
            "sum": self.sum,
            "accounts": self.accounts,
            "keys": self.keys,
            "contradictions": dict(self.contradictions),
            "examples": self.examples,
        }


def contradiction(believed: Believed, effect: Effect) -> str | None:
    """Say what is wrong between a terminal's belief and the ledger; None when they agree."""
    if effect.keys > 1:
        return "two keys for one STAN"
    if effect.others:
        return "rows of a kind that no terminal asked for"
    if effect.paid not in (0, believed.amount):
        return "paid another amount than was asked"
    if effect.given_back not in (0, effect.paid):
        return "gave back another amount than was paid"
    if effect.refusal is not None and effect.paid:
        return "both refused and paid"
    return _RULES[believed.state](believed, effect)


def unexplained(believed: Believed) -> str | None:
    """Say that a verdict is none that the demo card's serial can bring (edc.md, Demo data)."""
    if believed.code in (NO_CODE, LATE):
        return None
    special = _VERDICTS.get(believed.card % 100)
    is_known = believed.code in _USUAL if special is None else believed.code == special
    return None if is_known else "a verdict that the demo card does not explain"


def _approved(believed: Believed, effect: Effect) -> str | None:
    if effect.paid != believed.amount:
        return "approved without a row"
    return "approved but given back" if effect.given_back else None


def _refused(believed: Believed, effect: Effect) -> str | None:
    if effect.paid:
        return "refused but paid"
    if believed.code == LATE and effect.tombstones:
        return None
    if effect.refusal is None:
        return "refused without a row"
    if Outcome.of(effect.refusal).de39 != f"{believed.code:02d}":
        return "refused with another code"
    return None


def _reversed(believed: Believed, effect: Effect) -> str | None:
    if not effect.paid == effect.given_back == believed.amount:
        return "reversed but not paid and given back"
    return None


def _withdrawn(_believed: Believed, effect: Effect) -> str | None:
    if not effect.keys:
        return "reversed without a trace"
    return "reversed but paid" if effect.paid != effect.given_back else None


def _tombstoned(_believed: Believed, effect: Effect) -> str | None:
    if effect.paid:
        return "paid after its reversal"
    return None if effect.tombstones == 1 else "no tombstone"


def _unanswered(_believed: Believed, _effect: Effect) -> str | None:
    return None  # Once at most, which the general rules have looked at.


_VERDICTS: Final = {97: 62, 98: 54, 99: 51}
"""By the last two digits of the serial: blocked, expired, empty."""

_USUAL: Final = (0, 51, 61, 65)
_RULES: Final = {
    State.UNANSWERED: _unanswered,
    State.APPROVED: _approved,
    State.REFUSED: _refused,
    State.REVERSED: _reversed,
    State.WITHDRAWN: _withdrawn,
    State.TOMBSTONED: _tombstoned,
}


async def check_books(dsn: str, belief: Belief, day: date) -> Books:
    """Check the whole database against the belief of all terminals that ever used it."""
    books = Books(keys=len(belief))
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET work_mem = '256MB'")
        await _check_balances(connection, books)
        await _check_belief(connection, belief, day, books)
    finally:
        await connection.close()
    return books


async def _check_balances(connection: "asyncpg.Connection[Any]", books: Books) -> None:
    found = await connection.fetchrow(BALANCES)
    assert found is not None  # An aggregate has one row.
    books.sum, books.accounts = found["sum"], found["accounts"]
    if books.sum:
        books.contradict("sum over all accounts is not zero", f"{books.sum} sen")
    for check in ("unlike_rows", "purses_below_zero"):
        if found[check]:
            books.contradict(f"accounts {check.replace('_', ' ')}", count=found[check])


async def _check_belief(
    connection: "asyncpg.Connection[Any]", belief: Belief, day: date, books: Books
) -> None:
    async with connection.transaction():
        await connection.execute(BELIEF_TABLE)
        await connection.copy_records_to_table("belief", records=iter(belief))
        await connection.execute("ANALYZE belief")
        async for row in connection.cursor(JOINED, day, prefetch=5_000):
            terminal, stan, card, amount, state, code, booked, booked_stan, *effect = row
            if terminal is None:
                books.contradict("booked but never asked", f"{booked} {booked_stan:06d}")
                continue
            believed = Believed(terminal, stan, card, amount, State(state), code)
            problem = contradiction(believed, Effect(*effect)) or unexplained(believed)
            if problem is not None:
                books.contradict(problem, f"{believed.terminal} {believed.stan:06d}")
