"""Edits of a terminal (DE41): pure, what an edit makes of it or why not."""

from typing import Final

from libs.registry.entities import EntityStatus, Outlet, Terminal
from services.admin.domain.act import Json
from services.admin.domain.edit import (
    Content,
    code_problem,
    flag_in,
    next_status,
    refuse,
    refuse_again,
    refuse_nothing,
    text_in,
    word_problem,
)
from services.admin.domain.outlet import moved, place_of
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import EVERYWHERE, Place

CODE_LENGTH: Final = 8
WHAT: Final = "A terminal code (DE41)"
LISTENER: Final = "edc"


def wanted_terminal(code: str, content: Content, current: Terminal | None) -> Terminal:
    """Return the terminal as the content wants it, whatever that is worth."""
    known = current or Terminal(
        code=code,
        outlet="",
        listener=LISTENER,
        has_mac_key=False,
        may_omit_mac=False,
        groups=frozenset(),
        status=EntityStatus.ACTIVE,
    )
    return known._replace(
        outlet=text_in(content, "outlet", known.outlet),
        listener=text_in(content, "listener", known.listener),
        may_omit_mac=flag_in(content, "may_omit_mac", otherwise=known.may_omit_mac),
    )


def edit_terminal(
    verb: str,
    wanted: Terminal,
    content: Content,
    *,
    current: Terminal | None,
    outlet: Outlet | None,
) -> Terminal | Refused:
    """Return what a terminal becomes; ``outlet`` is the one that it wants to stand in."""
    if verb == "add":
        if current is not None:
            return refuse_again(current.status)
        problem = code_problem(wanted.code, what=WHAT, length=CODE_LENGTH)
        return refuse(problem) if problem else _checked(wanted, current, outlet)
    if current is None:
        return Refused(Refusal.UNKNOWN)
    status = next_status(current.status, verb)
    if isinstance(status, Refused):
        return status
    if verb == "set":
        return refuse_nothing(content) or _checked(wanted, current, outlet)
    return current._replace(status=status)


def terminal_place(before: Outlet | None, after: Outlet | None) -> Place:
    """Return where an edit of a terminal happens: in its outlet, and in the one it goes to."""
    here = EVERYWHERE if after is None else place_of(after)
    return here if before is None else moved(place_of(before), here)


def show_terminal(terminal: Terminal) -> dict[str, Json]:
    """Return a terminal as the API shows it."""
    return {
        "code": terminal.code,
        "outlet": terminal.outlet,
        "listener": terminal.listener,
        "has_mac_key": terminal.has_mac_key,
        "may_omit_mac": terminal.may_omit_mac,
        "status": terminal.status.name.lower(),
    }


def _checked(
    wanted: Terminal, current: Terminal | None, outlet: Outlet | None
) -> Terminal | Refused:
    if problem := word_problem(wanted.listener, what="A listener's name"):
        return refuse(problem)
    if current is not None and current.outlet == wanted.outlet:
        return wanted
    if outlet is None:
        return refuse(f"There is no outlet {wanted.outlet}; make it with `lesko outlet add`.")
    if outlet.status is EntityStatus.CLOSED:
        return refuse(f"The outlet {wanted.outlet} is closed.")
    return wanted
