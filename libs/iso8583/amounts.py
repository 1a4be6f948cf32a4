"""Amounts inside fields: balances (DE54), what each purse paid (DE48 PS), goods (DE48 GC)."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from libs.iso8583.tags import build_tags, parse_tags

OWN_PURSE: Final = "60"
RESTRICTED_PURSE: Final = "65"

_AVAILABLE: Final = "02"
_CURRENCY: Final = "360"
_BALANCE: Final = 20
_PAID_TAG: Final = "PS"
_PAID: Final = 18
_PAID_GROUPS_MAX: Final = 5  # In one tag; the tag repeats for more.
_GOODS_TAG: Final = "GC"
_GOODS: Final = 16
_GOODS_GROUPS_MAX: Final = 6  # As many as 99 characters hold.
_AMOUNT_MAX: Final = 999_999_999_999


class Balance(NamedTuple):
    """What one purse has available after the message; negative is written as a debit."""

    account_type: str
    amount_minor: int


class Paid(NamedTuple):
    """What one purse paid; the own purse has programme 0."""

    account_type: str
    programme: int
    amount_minor: int


def build_balances(balances: Iterable[Balance]) -> str:
    """Write DE54: one block of 20 for each purse, in the order given (own first, edc.md)."""
    return "".join(
        f"{account_type}{_AVAILABLE}{_CURRENCY}{'D' if amount < 0 else 'C'}{_twelve(abs(amount))}"
        for account_type, amount in balances
    )


def parse_balances(text: str) -> list[Balance] | None:
    """Read DE54 as we write it; None when it is no list of such blocks."""
    found = []
    for block in _blocks(text, _BALANCE):
        amount = block[8:]
        is_ours = block[2:7] == f"{_AVAILABLE}{_CURRENCY}" and block[7:8] in {"C", "D"}
        if not (is_ours and _is_number(amount, 12)):
            return None
        found.append(Balance(block[:2], -int(amount) if block[7] == "D" else int(amount)))
    return found


def build_paid(parts: Iterable[Paid]) -> str:
    """Write DE48 ``PS``: who paid, in the order in which they paid, without zeros.

    Empty when no restricted purse paid; DE48 is then left out.
    """
    paid = [part for part in parts if part.amount_minor != 0]
    if all(part.account_type == OWN_PURSE for part in paid):
        return ""
    groups = [f"{kind}{programme:04d}{_twelve(amount)}" for kind, programme, amount in paid]
    return build_tags((_PAID_TAG, value) for value in _tag_values(groups, _PAID_GROUPS_MAX))


def parse_paid(text: str) -> list[Paid] | None:
    """Read the ``PS`` tags of a DE48; None when the text is no TLV or a group is not right."""
    tags = parse_tags(text)
    if tags is None:
        return None
    found = []
    for value in (value for tag, value in tags if tag == _PAID_TAG):
        for group in _blocks(value, _PAID):
            if not (len(group) == _PAID and _is_number(group[2:], 16)):
                return None
            found.append(Paid(group[:2], int(group[2:6]), int(group[6:])))
    return found


def build_goods(lines: Iterable[tuple[int, int]]) -> str:
    """Write DE48 ``GC`` from (goods class, minor units); for terminals, tools and tests."""
    groups = [f"{goods_class:04d}{_twelve(amount)}" for goods_class, amount in lines]
    return build_tags((_GOODS_TAG, value) for value in _tag_values(groups, _GOODS_GROUPS_MAX))


def parse_goods(text: str) -> tuple[tuple[int, int], ...] | None:
    """Return (goods class, minor units) of all ``GC`` tags; lines of nothing are left out.

    None when DE48 is no TLV, or a ``GC`` is empty, malformed or has a class that is no number.
    """
    tags = parse_tags(text)
    if tags is None:
        return None
    lines = []
    for value in (value for tag, value in tags if tag == _GOODS_TAG):
        if not value:
            return None
        for group in _blocks(value, _GOODS):
            if not _is_number(group, _GOODS):
                return None
            if int(group[4:]):
                lines.append((int(group[:4]), int(group[4:])))
    return tuple(lines)


def _twelve(amount: int) -> str:
    assert 0 <= amount <= _AMOUNT_MAX
    return f"{amount:012d}"


def _is_number(text: str, digits: int) -> bool:
    return len(text) == digits and text.isdigit() and text.isascii()


def _blocks(text: str, size: int) -> Iterable[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def _tag_values(groups: Sequence[str], most: int) -> Iterable[str]:
    return ("".join(groups[at : at + most]) for at in range(0, len(groups), most))
