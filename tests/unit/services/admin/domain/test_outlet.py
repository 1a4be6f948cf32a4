"""Edits of outlets and of their terminals."""

import pytest

from libs.fakes.registry import a_group, a_terminal, an_outlet
from libs.registry import EntityStatus, Outlet, Terminal
from services.admin.domain.act import Json
from services.admin.domain.outlet import (
    edit_outlet,
    place_of_edit,
    show_outlet,
    wanted_outlet,
)
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place
from services.admin.domain.terminal import edit_terminal, terminal_place, wanted_terminal

GROUPS = {"even": a_group("even"), "north": a_group("north")}
CODE = "BUMA00000000001"
CLOSED = EntityStatus.CLOSED


def edited(verb: str, current: Outlet | None, **content: Json) -> Outlet | Refused:
    wanted = wanted_outlet(CODE, content, current)
    return edit_outlet(verb, wanted, content, current=current, groups=GROUPS)


def edited_terminal(
    verb: str, current: Terminal | None, inside: Outlet | None, **content: Json
) -> Terminal | Refused:
    wanted = wanted_terminal("LSK00001", content, current)
    return edit_terminal(verb, wanted, content, current=current, outlet=inside)


def why(found: object) -> Refusal:
    assert isinstance(found, Refused)
    return found.why


class TestOutlet:
    def test_is_added(self) -> None:
        """A new outlet has what was said, and no number yet."""
        found = edited("add", None, name=" Kios ", groups=["even"], region="papua")

        assert an_outlet(1, region="papua")._replace(number=0) == found

    def test_keeps_what_is_not_said(self) -> None:
        """A set of the name leaves number, groups, region and state alone."""
        known = an_outlet(1, region="papua", status=EntityStatus.PAUSED)

        assert known._replace(name="Toko") == edited("set", known, name="Toko")

    def test_leaves_its_groups(self) -> None:
        """An empty list of groups is a list."""
        found = edited("set", an_outlet(1), groups=[])

        assert isinstance(found, Outlet)
        assert frozenset() == found.groups

    @pytest.mark.parametrize("verb", ["set", "pause", "resume", "close"])
    def test_must_be_there(self, verb: str) -> None:
        """Nothing can be done to an outlet that nobody added."""
        assert Refusal.UNKNOWN is why(edited(verb, None, name="Toko"))

    @pytest.mark.parametrize("status", list(EntityStatus))
    def test_is_added_once(self, status: EntityStatus) -> None:
        """Its code is not used again, also not after it was closed."""
        assert Refusal.EXISTS is why(edited("add", an_outlet(1, status=status), name="Kios"))

    @pytest.mark.parametrize("verb", ["set", "pause", "resume", "close"])
    def test_is_closed_for_ever(self, verb: str) -> None:
        """Whatever is asked of a closed outlet is refused."""
        closed = an_outlet(1, status=CLOSED)

        assert Refusal.WRONG_STATE is why(edited(verb, closed, name="Toko"))

    @pytest.mark.parametrize(
        "content",
        [{}, {"name": ""}, {"region": "Papua Selatan"}, {"groups": ["nobody"]}],
    )
    def test_refuses_a_content(self, content: dict[str, Json]) -> None:
        """Nothing at all, no name, a region in other letters, a group that is not there."""
        assert Refusal.NOT_ALLOWED is why(edited("set", an_outlet(1), **content))

    def test_is_shown(self) -> None:
        """People see all of it."""
        assert {
            "code": CODE,
            "number": 1,
            "name": "Kios",
            "region": "",
            "groups": ["even", "north"],
            "status": "active",
        } == show_outlet(an_outlet(1, groups=("north", "even")))

    def test_is_in_its_region_and_groups(self) -> None:
        """A move is in both places, any other edit in one."""
        here = an_outlet(1, region="papua")
        there = here._replace(region="biak")

        assert Place("papua", frozenset({"even"})) == place_of_edit(here, here)
        assert Place("papua", frozenset({"even"})) == place_of_edit(here, None)
        assert Place("biak", frozenset({"even"}), place_of_edit(here, None)) == place_of_edit(
            there, here
        )


class TestTerminal:
    def test_is_added_to_an_outlet(self) -> None:
        """By default it comes in by the first listener and must have a MAC."""
        found = edited_terminal("add", None, an_outlet(1), outlet=CODE)

        assert a_terminal(1)._replace(may_omit_mac=False) == found

    @pytest.mark.parametrize("outlet", [None, an_outlet(1, status=CLOSED)])
    def test_needs_an_outlet(self, outlet: Outlet | None) -> None:
        """One that is there and not closed."""
        found = edited_terminal("add", None, outlet, outlet=CODE)

        assert Refusal.NOT_ALLOWED is why(found)

    def test_moves(self) -> None:
        """Into another outlet, if that one takes it."""
        other = an_outlet(2)
        moved = edited_terminal("set", a_terminal(1), other, outlet=other.code)
        refused = edited_terminal(
            "set", a_terminal(1), other._replace(status=CLOSED), outlet=other.code
        )

        assert a_terminal(1, outlet=other.code) == moved
        assert Refusal.NOT_ALLOWED is why(refused)

    def test_can_be_changed_in_a_closed_outlet(self) -> None:
        """It stops by its outlet's state; its own may still be set."""
        closed = an_outlet(1, status=CLOSED)

        assert EntityStatus.CLOSED is getattr(
            edited_terminal("close", a_terminal(1), closed), "status", None
        )

    @pytest.mark.parametrize("listener", ["", "EDC", "a b"])
    def test_needs_a_listener(self, listener: str) -> None:
        """A name that a listener can have."""
        found = edited_terminal("set", a_terminal(1), an_outlet(1), listener=listener)

        assert Refusal.NOT_ALLOWED is why(found)

    def test_has_a_code_of_eight(self) -> None:
        """DE41 has eight characters."""
        wanted = wanted_terminal("LSK0001", {"outlet": CODE}, None)
        found = edit_terminal("add", wanted, {}, current=None, outlet=an_outlet(1))

        assert Refusal.NOT_ALLOWED is why(found)

    def test_is_where_its_outlet_is(self) -> None:
        """And in both when it moves."""
        here, there = an_outlet(1, region="papua"), an_outlet(2, region="biak")

        assert "papua" == terminal_place(here, here).region
        assert Place("papua", frozenset({"even"})) == terminal_place(here, there).moved_from
