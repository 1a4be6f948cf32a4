"""When a kill round is broken, beside what books and terminals say."""

from types import SimpleNamespace
from typing import Any, cast

from loadtests.belief import Belief, facts
from loadtests.books import Books
from loadtests.chaos_rounds import (
    UNEXPLAINED,
    Round,
    forgive_not_processed,
    late_answers,
    line_of,
    strangers,
)
from loadtests.chaos_scene import Moment
from loadtests.chaos_strikes import Kill, Strike
from loadtests.stack import Stack

LEDGER = Kill("card_ledger")


def a_round(**changes: Any) -> Round:
    given = {"unanswered": 200, "booked": 5, "answered_later": 5, "healthy_s": 1.0, "counts": True}
    return Round(strike="x", **(given | changes))


def a_stack(**pids: int) -> Stack:
    members = {
        name: SimpleNamespace(pid=abs(pid), is_running=pid > 0) for name, pid in pids.items()
    }
    return cast("Stack", _Members(members))


class _Members:
    def __init__(self, members: dict[str, SimpleNamespace]) -> None:
        self.members = members

    def __getitem__(self, name: str) -> SimpleNamespace:
        return self.members[name]


class TestMoment:
    def test_counts_from_twenty_unanswered_and_one_booked(self) -> None:
        """Money must have been at stake."""
        twenty = tuple(range(20))

        assert Moment(twenty, (3,)).counts
        assert not Moment(twenty[1:], (3,)).counts
        assert not Moment(twenty, ()).counts


class TestLateAnswers:
    def test_misses_an_answer_that_the_ledger_owed(self) -> None:
        """Booked, healed at once, and never answered: its command was acknowledged too early."""
        problems = late_answers(LEDGER, a_round(answered_later=4), 8.0)

        assert ["1 of 5 booked purchases were not answered after healing"] == problems

    def test_is_content_when_all_were_answered(self) -> None:
        """Nothing was acknowledged before it was sent."""
        assert [] == late_answers(LEDGER, a_round(), 8.0)

    def test_excuses_what_took_longer_than_a_bridge_waits(self) -> None:
        """After its deadline a bridge says nothing, and the terminal reverses."""
        assert [] == late_answers(LEDGER, a_round(answered_later=0, healthy_s=4.1), 8.0)

    def test_excuses_a_killed_bridge(self) -> None:
        """Who waited is known to nobody else."""
        assert [] == late_answers(Kill("iso_bridge"), a_round(answered_later=0), 8.0)


class TestStrangers:
    def test_names_who_ended_without_being_struck(self) -> None:
        """A service must outlive what happens to the others."""
        found = strangers(LEDGER, a_stack(admin=-7, card_ledger=9), {"admin": 7, "card_ledger": 8})

        assert ["admin is not the process that it was"] == found

    def test_names_who_was_started_again_by_somebody(self) -> None:
        """Another process under the same name."""
        assert ["admin is not the process that it was"] == strangers(
            Strike(), a_stack(admin=8), {"admin": 7}
        )


class TestForgive:
    def some_books(self, *, unexplained: int, codes: list[bytes]) -> tuple[Books, Belief]:
        """Books with complaints, and a belief with these verdicts."""
        belief = Belief(["LSK00001"])
        for stan, code in enumerate(codes):
            belief.answered(belief.open(0, stan, facts(1, 100)), code)
        books = Books()
        books.contradict(UNEXPLAINED, "LSK00001 000001", count=unexplained)
        return books, belief

    def test_lets_a_stored_96_count_as_a_verdict(self) -> None:
        """New money that came before the registry was read again."""
        books, belief = self.some_books(unexplained=2, codes=[b"96", b"00", b"96"])
        forgive_not_processed(books, belief)

        assert books.is_clean
        assert [] == books.examples

    def test_keeps_any_other_verdict_that_nothing_explains(self) -> None:
        """Two of them, only one is a 96."""
        books, belief = self.some_books(unexplained=2, codes=[b"96", b"05"])
        forgive_not_processed(books, belief)

        assert not books.is_clean


class TestLine:
    def test_names_what_broke(self) -> None:
        """A person who watches sees it at once."""
        assert "BROKEN\n    money is gone" in line_of(a_round(problems=["money is gone"]))
        assert line_of(a_round()).endswith("clean")
        assert line_of(a_round(counts=False)).endswith("does not count")
