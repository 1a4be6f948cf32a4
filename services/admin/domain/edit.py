"""What all edits of the registry have in common: states, forms of codes and names, contents."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from libs.registry.entities import EntityStatus, OutletGroup
from services.admin.domain.act import Json
from services.admin.domain.refusal import Refusal, Refused

NAME_MAX: Final = 60
WORD_MAX: Final = 32
GROUPS_MAX: Final = 50

_CODE: Final = re.compile(r"[!-.0-~]+")  # Printable ASCII; a slash would end the entity's key.
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")

Content = Mapping[str, Json]


def refuse(sentence: str) -> Refused:
    """Return the refusal of a content, with what is wrong in it."""
    return Refused(Refusal.NOT_ALLOWED, sentence)


def next_status(status: EntityStatus, verb: str) -> EntityStatus | Refused:
    """Return the state after set, pause, resume or close; what is closed is closed for ever."""
    if status is EntityStatus.CLOSED:
        return Refused(Refusal.WRONG_STATE, "It is closed, and that is for ever.")
    if verb == "pause":
        if status is EntityStatus.PAUSED:
            return Refused(Refusal.WRONG_STATE, "It is paused already.")
        return EntityStatus.PAUSED
    if verb == "resume":
        if status is EntityStatus.ACTIVE:
            return Refused(Refusal.WRONG_STATE, "It is not paused.")
        return EntityStatus.ACTIVE
    if verb == "close":
        return EntityStatus.CLOSED
    assert verb == "set", verb
    return status


def refuse_again(status: EntityStatus) -> Refused:
    """Return why a code that was given once is not given again."""
    is_closed = status is EntityStatus.CLOSED
    return Refused(Refusal.EXISTS, "It is closed; its code is not used again." if is_closed else "")


def refuse_nothing(content: Content) -> Refused | None:
    """Return why a set without any value is none."""
    return None if content else refuse("Nothing was given that is to be changed.")


def code_problem(code: str, *, what: str, length: int) -> str:
    """Return what is wrong with a code that goes over the wire; empty: nothing."""
    if len(code) == length and _CODE.fullmatch(code):
        return ""
    return f"{what} has exactly {length} characters: letters, digits and signs, no space or slash."


def word_problem(word: str, *, what: str) -> str:
    """Return what is wrong with a code of our own; empty: nothing."""
    if len(word) <= WORD_MAX and _WORD.fullmatch(word):
        return ""
    return (
        f"{what} has 1 to {WORD_MAX} characters: small letters, digits, dots, dashes and "
        "underscores, with a letter or digit first."
    )


def name_problem(name: str) -> str:
    """Return what is wrong with a name; empty: nothing."""
    if 1 <= len(name) <= NAME_MAX and name.isprintable() and name == name.strip():
        return ""
    return f"A name has 1 to {NAME_MAX} characters, with no space at its ends."


def region_problem(region: str) -> str:
    """Return what is wrong with a region, which may be empty; empty: nothing."""
    return word_problem(region, what="A region") if region else ""


def groups_problem(
    wanted: Collection[str], known: Mapping[str, OutletGroup], *, kept: Collection[str] = ()
) -> str:
    """Return which group cannot be named; those that are kept were allowed once. Empty: none."""
    if len(wanted) > GROUPS_MAX:
        return f"More than {GROUPS_MAX} outlet groups are too many."
    for code in sorted(set(wanted) - set(kept)):
        found = known.get(code)
        if found is None:
            return f"There is no outlet group {code}; make it with `lesko group add`."
        if found.status is EntityStatus.CLOSED:
            return f"The outlet group {code} is closed."
    return ""


def text_in(content: Content, name: str, otherwise: str) -> str:
    """Return a text of a content without the spaces at its ends, or what stands there now."""
    value = content.get(name)
    assert value is None or isinstance(value, str)
    return otherwise if value is None else value.strip()


def texts_in(content: Content, name: str, otherwise: frozenset[str]) -> frozenset[str]:
    """Return a set of texts of a content, or what stands there now."""
    value = content.get(name)
    assert value is None or isinstance(value, list)
    return otherwise if value is None else frozenset(str(one) for one in value)


def number_in(content: Content, name: str, otherwise: int) -> int:
    """Return a number of a content, or what stands there now."""
    value = content.get(name)
    assert value is None or isinstance(value, int)
    return otherwise if value is None else int(value)


def numbers_in(content: Content, name: str, otherwise: frozenset[int]) -> frozenset[int]:
    """Return a set of numbers of a content, or what stands there now."""
    value = content.get(name)
    assert value is None or isinstance(value, list)
    return otherwise if value is None else frozenset(_whole(one) for one in value)


def flag_in(content: Content, name: str, *, otherwise: bool) -> bool:
    """Return a yes or no of a content, or what stands there now."""
    value = content.get(name)
    assert value is None or isinstance(value, bool)
    return otherwise if value is None else value


def _whole(value: Json) -> int:
    assert isinstance(value, int)
    return value
