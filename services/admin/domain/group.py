"""Edits of an outlet group: pure, what an edit makes of it or why not."""

from libs.registry.entities import EntityStatus, OutletGroup
from services.admin.domain.act import Json
from services.admin.domain.edit import (
    Content,
    name_problem,
    next_status,
    refuse,
    refuse_again,
    refuse_nothing,
    text_in,
    word_problem,
)
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Place


def edit_group(
    verb: str, code: str, content: Content, *, current: OutletGroup | None
) -> OutletGroup | Refused:
    """Return what a group becomes by add, set or close.

    A closed one takes no new outlets, programmes or products; who names it already goes on.
    """
    if verb == "add":
        if current is not None:
            return refuse_again(current.status)
        problem = word_problem(code, what="The code of an outlet group")
        if problem:
            return refuse(problem)
        return _named(OutletGroup(code, "", EntityStatus.ACTIVE), content)
    if current is None:
        return Refused(Refusal.UNKNOWN)
    status = next_status(current.status, verb)
    if isinstance(status, Refused):
        return status
    if verb == "set":
        return refuse_nothing(content) or _named(current, content)
    return current._replace(status=status)


def group_place(code: str) -> Place:
    """Return where a group is: in itself."""
    return Place(groups=frozenset({code}))


def show_group(group: OutletGroup) -> dict[str, Json]:
    """Return a group as the API shows it."""
    return {"code": group.code, "name": group.name, "status": group.status.name.lower()}


def _named(group: OutletGroup, content: Content) -> OutletGroup | Refused:
    name = text_in(content, "name", group.name)
    problem = name_problem(name)
    return refuse(problem) if problem else group._replace(name=name)
