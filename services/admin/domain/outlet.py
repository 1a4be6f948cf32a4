"""Edits of an outlet (DE42): pure, what an edit makes of it or why not."""

from collections.abc import Mapping
from typing import Final

from libs.registry.entities import EntityStatus, Outlet, OutletGroup
from services.admin.domain.act import Json
from services.admin.domain.edit import (
    Content,
    code_problem,
    groups_problem,
    name_problem,
    next_status,
    refuse,
    refuse_again,
    refuse_nothing,
    region_problem,
    text_in,
    texts_in,
)
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place

CODE_LENGTH: Final = 15
WHAT: Final = "An outlet code (DE42)"


def wanted_outlet(code: str, content: Content, current: Outlet | None) -> Outlet:
    """Return the outlet as the content wants it, whatever that is worth; new ones have number 0."""
    known = current or Outlet(code, 0, "", frozenset(), EntityStatus.ACTIVE)
    return known._replace(
        name=text_in(content, "name", known.name),
        region=text_in(content, "region", known.region),
        groups=texts_in(content, "groups", known.groups),
    )


def edit_outlet(
    verb: str,
    wanted: Outlet,
    content: Content,
    *,
    current: Outlet | None,
    groups: Mapping[str, OutletGroup],
) -> Outlet | Refused:
    """Return what an outlet becomes by add, set, pause, resume or close."""
    if verb == "add":
        if current is not None:
            return refuse_again(current.status)
        problem = code_problem(wanted.code, what=WHAT, length=CODE_LENGTH)
        return refuse(problem) if problem else _checked(wanted, frozenset(), groups)
    if current is None:
        return Refused(Refusal.UNKNOWN)
    status = next_status(current.status, verb)
    if isinstance(status, Refused):
        return status
    if verb == "set":
        return refuse_nothing(content) or _checked(wanted, current.groups, groups)
    return current._replace(status=status)


def place_of(outlet: Outlet) -> Place:
    """Return where an outlet is; its terminals are there too."""
    return Place(outlet.region, outlet.groups)


def place_of_edit(wanted: Outlet, current: Outlet | None) -> Place:
    """Return where an edit happens: where the outlet is, and where it goes."""
    if current is None:
        return place_of(wanted)
    return moved(place_of(current), place_of(wanted))


def moved(before: Place, after: Place) -> Place:
    """Return the place of something that may change its place."""
    return after if after == before else after._replace(moved_from=before)


def show_outlet(outlet: Outlet) -> dict[str, Json]:
    """Return an outlet as the API shows it."""
    return {
        "code": outlet.code,
        "number": outlet.number,
        "name": outlet.name,
        "region": outlet.region,
        "groups": [*sorted(outlet.groups)],
        "status": outlet.status.name.lower(),
    }


def _checked(
    wanted: Outlet, kept: frozenset[str], groups: Mapping[str, OutletGroup]
) -> Outlet | Refused:
    problem = (
        name_problem(wanted.name)
        or region_problem(wanted.region)
        or groups_problem(wanted.groups, groups, kept=kept)
    )
    return refuse(problem) if problem else wanted
