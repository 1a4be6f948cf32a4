"""Restarts beside what they may cost: ten seconds, no refusal, over all rounds."""

from typing import Any

import pytest

from loadtests.figures import fill
from loadtests.report import book_lines
from loadtests.rolling_report import ROLL_HEADINGS, is_met, is_sound, roll_rows


def a_restart(name: str = "authorization", **changes: Any) -> dict[str, Any]:
    restart = {
        "name": name, "exit_code": 0, "ended_ms": 300.0, "ready_ms": 3_100.0, "purchases": 5_000,
        "refused_by_us": {}, "silent": 0, "p50_before_ms": 6.0, "p99_before_ms": 14.0,
        "worst_p99_ms": 3_000.0, "slow": [0, 1, 2], "slow_before": [],
    }  # fmt: skip
    return restart | changes


def a_round(*restarts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    clean = {"is_clean": True}
    return {
        "restarts": list(restarts), "unsettled": 0, "met": {"wrong": 0, "problems": []},
        "books": clean | {
            "sum": 0, "accounts": 9, "keys": 11, "contradictions": {}, "examples": [],
        },
        "entries": clean | {"batches": 7, "contradictions": {}},
        "ledger_verify": clean | {"said": ""},
    } | changes  # fmt: skip


def a_result(*rounds: dict[str, Any]) -> dict[str, Any]:
    return {"name": "rolling", "date": "2026-11-24", "quick": False, "rounds": list(rounds)}


class TestRollRows:
    def test_are_one_a_process_over_all_rounds(self) -> None:
        """Times by the median, slow seconds by the worst round, purchases and silences added up."""
        result = a_result(
            a_round(a_restart(silent=1)),
            a_round(a_restart(ready_ms=5_000.0, slow=[0, 1, 2, 3, 5], slow_before=[-3])),
            a_round(a_restart(ready_ms=4_000.0, silent=2)),
        )

        assert [
            ("authorization", "0.30", "4.00", "15,000", "0", "3", "6.0", "14.0", "3,000", "5", "1",
             "yes"),
        ] == list(roll_rows(result))  # fmt: skip

    def test_name_a_ledger_by_what_it_did(self) -> None:
        """Whichever of the two processes works in a round: rounds stand together."""
        result = a_result(
            a_round(a_restart("card_ledger", role="working"), a_restart("iso_bridge-2")),
            a_round(a_restart("card_ledger-2", role="working"), a_restart("iso_bridge")),
        )

        assert ["card_ledger, working", "iso_bridge, the second", "iso_bridge"] == [
            row[0] for row in roll_rows(result)
        ]

    def test_tell_refusals_by_code(self) -> None:
        """One refusal in one round of two breaks the promise."""
        refused = {"96": 3, "68": 1}
        rows = roll_rows(a_result(a_round(a_restart()), a_round(a_restart(refused_by_us=refused))))

        row = dict(zip(ROLL_HEADINGS, next(iter(rows)), strict=True))
        assert ("68: 1, 96: 3", "no") == (row["refused by us"], row["met"])


@pytest.mark.parametrize(("count", "met"), [(10, True), (11, False)])
def test_a_restart_may_be_felt_for_ten_seconds(count: int, *, met: bool) -> None:
    """The eleventh slow second breaks the promise; where they lie does not matter."""
    assert met == is_met(a_restart(slow=list(range(0, 2 * count, 2))))


class TestIsSound:
    @pytest.mark.parametrize("name", ["books", "entries", "ledger_verify"])
    def test_asks_for_clean_books(self, name: str) -> None:
        """Books, entries and chain: each can fail the run."""
        unclean = a_round(a_restart())
        unclean[name]["is_clean"] = False

        assert is_sound(a_result(a_round(a_restart(slow=list(range(30))))))
        assert not is_sound(a_result(a_round(a_restart()), unclean))

    def test_asks_for_right_answers_and_orderly_ends(self) -> None:
        """A refusal, a wrong answer, an open purchase or a bad exit code fail the run."""
        broken = [
            a_round(a_restart(refused_by_us={"96": 1})),
            a_round(a_restart(exit_code=-9)),
            a_round(a_restart(), unsettled=1),
            a_round(a_restart(), met={"wrong": 1, "problems": []}),
        ]

        assert [False] * 4 == [is_sound(a_result(one)) for one in broken]


def test_its_table_is_built_from_a_result() -> None:
    """The kind ``rolling`` puts the rows under their headings; the books can be told as well."""
    text = "<!-- figures: rolling a.json -->\nold\n<!-- /figures -->\n"
    result = a_result(a_round(a_restart()))

    built = fill(text, lambda _: result)

    assert "| authorization | 0.30 | 3.10 | 5,000 | 0 |" in built
    assert "old" not in built
    assert "7 batches of entries" in next(iter(book_lines(result)))
