"""States, codes and names of registry entries, edge by edge."""

import pytest

from libs.fakes.registry import a_group
from libs.registry import EntityStatus
from services.admin.domain.edit import (
    code_problem,
    groups_problem,
    name_problem,
    next_status,
    region_problem,
    word_problem,
)
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place, Scope

ACTIVE, PAUSED, CLOSED = EntityStatus.ACTIVE, EntityStatus.PAUSED, EntityStatus.CLOSED
GROUPS = {"even": a_group("even"), "old": a_group("old", status=CLOSED)}


class TestNextStatus:
    @pytest.mark.parametrize(
        ("status", "verb", "expected"),
        [
            (ACTIVE, "set", ACTIVE),
            (PAUSED, "set", PAUSED),
            (ACTIVE, "pause", PAUSED),
            (PAUSED, "resume", ACTIVE),
            (ACTIVE, "close", CLOSED),
            (PAUSED, "close", CLOSED),
        ],
    )
    def test_goes(self, status: EntityStatus, verb: str, expected: EntityStatus) -> None:
        """What may be done is done."""
        assert expected is next_status(status, verb)

    @pytest.mark.parametrize(
        ("status", "verb"),
        [
            (PAUSED, "pause"),
            (ACTIVE, "resume"),
            (CLOSED, "set"),
            (CLOSED, "pause"),
            (CLOSED, "resume"),
            (CLOSED, "close"),
        ],
    )
    def test_does_not_go(self, status: EntityStatus, verb: str) -> None:
        """What is paused is not paused again; what is closed is closed for ever."""
        found = next_status(status, verb)

        assert isinstance(found, Refused)
        assert (Refusal.WRONG_STATE, True) == (found.why, bool(found.detail))


class TestForms:
    @pytest.mark.parametrize("code", ["BUMA00000000001", "A!~-._'()00000Z"])
    def test_takes_codes_of_the_wire(self, code: str) -> None:
        """Fifteen printable characters of ASCII."""
        assert "" == code_problem(code, what="It", length=15)

    @pytest.mark.parametrize(
        "code",
        [
            "",
            "BUMA0000000001",
            "BUMA000000000011",
            "BUMA 0000000001",
            "BUMA/0000000001",
            "BUMÄ00000000001",
        ],
    )
    def test_refuses_other_codes(self, code: str) -> None:
        """Too short, too long, a space, a slash, a letter that the wire does not know."""
        assert "exactly 15 characters" in code_problem(code, what="It", length=15)

    @pytest.mark.parametrize("word", ["a", "buma-even", "a" * 32, "9.x_y"])
    def test_takes_words(self, word: str) -> None:
        """Our own codes: small letters, digits, a few signs."""
        assert "" == word_problem(word, what="It")

    @pytest.mark.parametrize("word", ["", "a" * 33, "-a", "Even", "a b", "ä", "a\n"])
    def test_refuses_other_words(self, word: str) -> None:
        """What two people would write in two ways is no code."""
        assert "small letters" in word_problem(word, what="It")

    @pytest.mark.parametrize("name", ["B", "Kios Pápua 7", "x" * 60])
    def test_takes_names(self, name: str) -> None:
        """Anything that people can read."""
        assert "" == name_problem(name)

    @pytest.mark.parametrize("name", ["", " Kios", "Kios ", "a\tb", "x" * 61])
    def test_refuses_other_names(self, name: str) -> None:
        """Nothing, hidden characters, too much."""
        assert "A name has" in name_problem(name)

    def test_takes_no_region(self) -> None:
        """An outlet may stand in none."""
        assert ("", True) == (region_problem(""), bool(region_problem("Papua Selatan")))


class TestGroups:
    @pytest.mark.parametrize(
        ("wanted", "kept", "expected"),
        [
            (["even"], [], ""),
            ([], [], ""),
            (["old"], ["old"], ""),
            (["gone"], ["gone"], ""),
            (["old"], [], "is closed"),
            (["even", "nobody"], [], "no outlet group nobody"),
            ([str(number) for number in range(51)], [], "too many"),
        ],
    )
    def test_must_exist_where_they_are_new(
        self, wanted: list[str], kept: list[str], expected: str
    ) -> None:
        """Those that stood there before stay, whatever became of them."""
        problem = groups_problem(wanted, GROUPS, kept=kept)

        assert (expected in problem, bool(expected)) == (True, bool(problem))


class TestMovedFrom:
    @pytest.mark.parametrize(
        ("regions", "expected"),
        [((), True), (("a", "b"), True), (("a",), False), (("b",), False), (("c",), False)],
    )
    def test_asks_for_both_places(self, regions: tuple[str, ...], *, expected: bool) -> None:
        """Who moves a thing acts where it was and where it goes."""
        place = Place("b", moved_from=Place("a"))

        assert expected is Scope(regions=frozenset(regions)).covers(place)
