"""Edits of programmes and outlet groups."""

from typing import Any

import pytest

from libs.fakes.registry import a_group, a_programme
from libs.registry import EntityStatus, Programme
from services.admin.domain.act import Json
from services.admin.domain.group import edit_group, group_place, show_group
from services.admin.domain.programme import edit_programme, show_programme
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place

GROUPS = {"even": a_group("even"), "north": a_group("north")}
CLOSED = EntityStatus.CLOSED


def edited(
    verb: str, current: Programme | None, *, number: int = 1, **content: Json
) -> Programme | Refused:
    return edit_programme(verb, number, content, current=current, groups=GROUPS)


def why(found: object) -> Refusal:
    assert isinstance(found, Refused)
    return found.why


class TestProgramme:
    def test_is_added(self) -> None:
        """With its groups; without classes it takes every class."""
        found = edited("add", None, name="Bantuan", groups=["even"])

        assert a_programme(1) == found

    @pytest.mark.parametrize(
        ("number", "is_taken"), [(0, False), (1, True), (9_999, True), (10_000, False)]
    )
    def test_has_a_number_of_four_digits(self, number: int, *, is_taken: bool) -> None:
        """DE48 has room for 9999."""
        found = edited("add", None, number=number, name="Bantuan", groups=["even"])

        assert is_taken is isinstance(found, Programme)

    @pytest.mark.parametrize(
        "content",
        [{}, {"name": ""}, {"groups": []}, {"groups": ["nobody"]}, {"goods_classes": [10_000]}],
    )
    def test_refuses_a_content(self, content: dict[str, Any]) -> None:
        """Nothing, no name, nowhere, a group that is not there, a class of five digits."""
        assert Refusal.NOT_ALLOWED is why(edited("set", a_programme(1), **content))

    def test_keeps_what_is_not_said(self) -> None:
        """A set of the groups leaves name, classes and state alone."""
        known = a_programme(1, goods_classes=(3,), status=EntityStatus.PAUSED)

        found = edited("set", known, groups=["north"])

        assert known._replace(outlet_groups=frozenset({"north"})) == found

    @pytest.mark.parametrize("verb", ["set", "pause", "resume", "close"])
    def test_is_closed_for_ever(self, verb: str) -> None:
        """Whatever is asked of a closed programme is refused."""
        assert Refusal.WRONG_STATE is why(edited(verb, a_programme(1, status=CLOSED), name="B"))

    def test_is_added_once(self) -> None:
        """Its number is not used again."""
        assert Refusal.EXISTS is why(edited("add", a_programme(1, status=CLOSED), name="B"))
        assert Refusal.UNKNOWN is why(edited("pause", None))

    def test_is_shown(self) -> None:
        """People see all of it."""
        assert {
            "number": 1,
            "name": "Bantuan",
            "groups": ["even"],
            "goods_classes": [1, 22],
            "status": "active",
        } == show_programme(a_programme(1, goods_classes=(22, 1)))


class TestGroup:
    def test_is_added_and_named(self) -> None:
        """A code and a name."""
        added = edit_group("add", "even", {"name": "Group even"}, current=None)
        named = edit_group("set", "even", {"name": "Genap"}, current=a_group("even"))

        assert (a_group("even"), a_group("even")._replace(name="Genap")) == (added, named)

    @pytest.mark.parametrize(("code", "name"), [("Even", "Genap"), ("even", "")])
    def test_needs_a_code_and_a_name(self, code: str, name: str) -> None:
        """Both of the usual form."""
        assert Refusal.NOT_ALLOWED is why(edit_group("add", code, {"name": name}, current=None))

    def test_is_closed_for_ever(self) -> None:
        """Its code is not used again."""
        closed = a_group("even", status=CLOSED)

        assert closed == edit_group("close", "even", {}, current=a_group("even"))
        assert Refusal.WRONG_STATE is why(edit_group("set", "even", {"name": "B"}, current=closed))
        assert Refusal.EXISTS is why(edit_group("add", "even", {"name": "B"}, current=closed))
        assert Refusal.UNKNOWN is why(edit_group("close", "odd", {}, current=None))

    def test_is_in_itself(self) -> None:
        """The scope of a group's own people covers it."""
        assert Place(groups=frozenset({"even"})) == group_place("even")
        assert {"code": "even", "name": "Group even", "status": "active"} == show_group(a_group())
