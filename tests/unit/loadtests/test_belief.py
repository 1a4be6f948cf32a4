"""What a terminal believes after each answer."""

import pytest

from loadtests.belief import NO_CODE, ODD_CODE, Belief, Believed, State, facts


def a_belief() -> Belief:
    return Belief(["LSK00001", "LSK00002"])


class TestBelief:
    def test_gives_back_what_was_taken_down(self) -> None:
        """Terminal, STAN, card and amount survive the packing at their largest."""
        belief = a_belief()
        number = belief.open(1, 999_999, facts(9_999_999 % (1 << 23), 999_999_999_999))

        belief.answered(number, b"51")

        asked = Believed(
            "LSK00002", 999_999, 9_999_999 % (1 << 23), 999_999_999_999, State.REFUSED, 51
        )
        assert [asked] == list(belief)

    @pytest.mark.parametrize(
        ("heard", "state"),
        [
            ("", State.UNANSWERED),
            ("00", State.APPROVED),
            ("51", State.REFUSED),
            ("00 reversed", State.REVERSED),
            ("51 reversed", State.REFUSED),
            ("reversed", State.WITHDRAWN),
            ("reversed 00", State.WITHDRAWN),
            ("reversed 68", State.WITHDRAWN),
            ("tombstoned 68", State.TOMBSTONED),
            ("00 reversed reversed", State.REVERSED),
        ],
    )
    def test_believes_by_what_was_heard(self, heard: str, state: State) -> None:
        """The order in which answers come decides what must stand in the ledger."""
        belief = a_belief()
        number = belief.open(0, 1, facts(1, 100))

        for word in heard.split():
            if word == "reversed":
                belief.reversed(number)
            elif word == "tombstoned":
                belief.tombstoned(number)
            else:
                belief.answered(number, word.encode())

        assert state == next(iter(belief)).state

    @pytest.mark.parametrize(("code", "kept"), [(None, NO_CODE), (b"\xff!", ODD_CODE)])
    def test_keeps_what_is_no_code_apart(self, code: bytes | None, kept: int) -> None:
        """No answer and an answer that is no pair of digits are never taken for a code."""
        belief = a_belief()
        number = belief.open(0, 1, facts(1, 100))

        if code is not None:
            belief.answered(number, code)

        assert kept == next(iter(belief)).code

    def test_counts_by_state(self) -> None:
        """Counts name only the states that occur."""
        belief = a_belief()
        belief.answered(belief.open(0, 1, facts(1, 100)), b"00")
        belief.open(0, 2, facts(1, 100))

        assert {"unanswered": 1, "approved": 1} == belief.counts()
