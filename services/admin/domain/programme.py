"""Edits of a programme: pure, what an edit makes of it or why not."""

from collections.abc import Mapping
from typing import Final

from libs.registry.entities import EntityStatus, OutletGroup, Programme
from services.admin.domain.act import Json
from services.admin.domain.edit import (
    Content,
    groups_problem,
    name_problem,
    next_status,
    numbers_in,
    refuse,
    refuse_again,
    refuse_nothing,
    text_in,
    texts_in,
)
from services.admin.domain.refusal import Refusal, Refused

NUMBER_MAX: Final = 9_999
GOODS_CLASS_MAX: Final = 9_999


def edit_programme(
    verb: str,
    number: int,
    content: Content,
    *,
    current: Programme | None,
    groups: Mapping[str, OutletGroup],
) -> Programme | Refused:
    """Return what a programme becomes by add, set, pause, resume or close."""
    if verb == "add":
        if current is not None:
            return refuse_again(current.status)
        if not 1 <= number <= NUMBER_MAX:
            return refuse(f"The number of a programme lies between 1 and {NUMBER_MAX}.")
        fresh = Programme(number, "", frozenset(), frozenset(), EntityStatus.ACTIVE)
        return _filled(fresh, content, groups)
    if current is None:
        return Refused(Refusal.UNKNOWN)
    status = next_status(current.status, verb)
    if isinstance(status, Refused):
        return status
    if verb == "set":
        return refuse_nothing(content) or _filled(current, content, groups)
    return current._replace(status=status)


def wanted_groups(content: Content) -> frozenset[str]:
    """Return the groups that a content names."""
    return texts_in(content, "groups", frozenset())


def show_programme(programme: Programme) -> dict[str, Json]:
    """Return a programme as the API shows it."""
    return {
        "number": programme.number,
        "name": programme.name,
        "groups": [*sorted(programme.outlet_groups)],
        "goods_classes": [*sorted(programme.goods_classes)],
        "status": programme.status.name.lower(),
    }


def _filled(
    known: Programme, content: Content, groups: Mapping[str, OutletGroup]
) -> Programme | Refused:
    wanted = known._replace(
        name=text_in(content, "name", known.name),
        outlet_groups=texts_in(content, "groups", known.outlet_groups),
        goods_classes=numbers_in(content, "goods_classes", known.goods_classes),
    )
    problem = (
        name_problem(wanted.name)
        or _nowhere(wanted)
        or groups_problem(wanted.outlet_groups, groups, kept=known.outlet_groups)
        or _no_class(wanted)
    )
    return refuse(problem) if problem else wanted


def _nowhere(programme: Programme) -> str:
    if programme.outlet_groups:
        return ""
    return "A programme names at least one outlet group: its money is taken only there."


def _no_class(programme: Programme) -> str:
    if all(0 <= one <= GOODS_CLASS_MAX for one in programme.goods_classes):
        return ""
    return f"A goods class is a number between 0 and {GOODS_CLASS_MAX}."
