"""Belief against ledger, one contradiction at a time."""

import pytest

from libs.outcome import Outcome
from loadtests.belief import NO_CODE, Believed, State
from loadtests.books import Books, Effect, contradiction, unexplained

AMOUNT = 12_345
PAID = Effect(keys=1, paid=AMOUNT)
BACK = Effect(keys=1, paid=AMOUNT, given_back=AMOUNT)
REFUSED = Effect(keys=1, refusal=Outcome.FUNDS_SHORT.number)
TOMBSTONE = Effect(keys=1, tombstones=1)
NOTHING = Effect()


def believed(state: State, code: int = 0) -> Believed:
    return Believed("LSK00001", 1, 1, AMOUNT, state, code)


AGREE = [
    (State.APPROVED, 0, PAID),
    (State.REFUSED, 51, REFUSED),
    (State.REFUSED, 68, TOMBSTONE),
    (State.REFUSED, 68, Effect(keys=1, refusal=Outcome.TOO_LATE.number)),
    (State.REVERSED, 0, BACK),
    (State.WITHDRAWN, NO_CODE, BACK),
    (State.WITHDRAWN, NO_CODE, TOMBSTONE),
    (State.WITHDRAWN, NO_CODE, REFUSED),
    (State.TOMBSTONED, 68, TOMBSTONE),
    (State.UNANSWERED, NO_CODE, NOTHING),
    (State.UNANSWERED, NO_CODE, PAID),
    (State.UNANSWERED, NO_CODE, BACK),
]
DIFFER = [
    (State.APPROVED, 0, NOTHING, "approved without a row"),
    (State.APPROVED, 0, REFUSED, "approved without a row"),
    (State.APPROVED, 0, BACK, "approved but given back"),
    (State.APPROVED, 0, PAID._replace(paid=2 * AMOUNT), "paid another amount than was asked"),
    (State.APPROVED, 0, PAID._replace(keys=2), "two keys for one STAN"),
    (State.APPROVED, 0, PAID._replace(refusal=313), "both refused and paid"),
    (State.APPROVED, 0, PAID._replace(others=1), "rows of a kind that no terminal asked for"),
    (State.REFUSED, 51, PAID, "refused but paid"),
    (State.REFUSED, 51, NOTHING, "refused without a row"),
    (State.REFUSED, 62, REFUSED, "refused with another code"),
    (State.REFUSED, 51, TOMBSTONE, "refused without a row"),
    (State.REVERSED, 0, PAID, "reversed but not paid and given back"),
    (State.REVERSED, 0, TOMBSTONE, "reversed but not paid and given back"),
    (
        State.REVERSED,
        0,
        BACK._replace(given_back=2 * AMOUNT),
        "gave back another amount than was paid",
    ),
    (State.WITHDRAWN, NO_CODE, PAID, "reversed but paid"),
    (State.WITHDRAWN, NO_CODE, NOTHING, "reversed without a trace"),
    (State.TOMBSTONED, 68, NOTHING, "no tombstone"),
    (State.TOMBSTONED, 68, BACK, "paid after its reversal"),
    (
        State.UNANSWERED,
        NO_CODE,
        PAID._replace(paid=AMOUNT - 1),
        "paid another amount than was asked",
    ),
]


class TestContradiction:
    @pytest.mark.parametrize(("state", "code", "effect"), AGREE)
    def test_finds_none_where_both_agree(self, state: State, code: int, effect: Effect) -> None:
        """Every belief that a correct ledger can leave behind passes."""
        assert contradiction(believed(state, code), effect) is None

    @pytest.mark.parametrize(("state", "code", "effect", "problem"), DIFFER)
    def test_names_what_is_wrong(
        self, state: State, code: int, effect: Effect, problem: str
    ) -> None:
        """Each way in which a ledger can be wrong has its name."""
        assert problem == contradiction(believed(state, code), effect)

    def test_knows_every_state(self) -> None:
        """No state of belief is without its rule."""
        judged = {state for state in State if contradiction(believed(state), PAID) is None}

        assert {State.APPROVED, State.UNANSWERED} == judged


class TestUnexplained:
    @pytest.mark.parametrize(
        ("card", "code", "is_explained"),
        [
            (1, 0, True), (1, 51, True), (96, 65, True), (97, 62, True), (98, 54, True),
            (99, 51, True), (1, 68, True), (97, NO_CODE, True),
            (97, 0, False), (98, 0, False), (99, 0, False), (1, 62, False), (1, 96, False),
            (1, 14, False),
        ],
    )  # fmt: skip
    def test_knows_the_demo_cards(self, card: int, code: int, *, is_explained: bool) -> None:
        """A blocked card that pays and a good one that is unknown are both noticed."""
        heard = believed(State.REFUSED, code)._replace(card=card)

        assert is_explained is (unexplained(heard) is None)


class TestBooks:
    def test_is_clean_until_contradicted(self) -> None:
        """One contradiction is enough, counts add up, examples are few."""
        books = Books()
        assert books.is_clean

        for at in range(9):
            books.contradict("refused but paid", f"LSK00001 {at:06d}")

        assert not books.is_clean
        assert {"refused but paid": 9} == books.figures()["contradictions"]
        assert 5 == len(books.examples)
