"""What the registry knows about each thing, and the names that its records carry as keys."""

from enum import IntEnum
from typing import NamedTuple


class EntityStatus(IntEnum):
    """Whether a thing may be used; the numbers are those of the records."""

    ACTIVE = 1
    PAUSED = 2
    CLOSED = 3


class Outlet(NamedTuple):
    """A shop (DE42)."""

    code: str
    number: int  # Its owner number inside account numbers.
    name: str
    groups: frozenset[str]
    status: EntityStatus
    region: str = ""  # What the scopes of operators name; empty: none.


class OutletGroup(NamedTuple):
    """A set of outlets that rules and scopes name."""

    code: str
    name: str
    status: EntityStatus


class Terminal(NamedTuple):
    """A device (DE41)."""

    code: str
    outlet: str
    listener: str  # The listener it must come in by.
    has_mac_key: bool
    may_omit_mac: bool
    groups: frozenset[str]
    status: EntityStatus


class Product(NamedTuple):
    """Parameters of a product from one day on; minor units, 0 means no limit."""

    code: str
    in_force_from: int  # Days since 1970-01-01.
    currency: int
    ceiling_minor: int
    purchase_max_minor: int
    day_amount_minor: int
    day_count: int
    month_amount_minor: int
    month_count: int
    asks_pin: bool
    pin_above_minor: int  # With asks_pin: a PIN is needed above this amount.
    outlet_groups: frozenset[str]  # Empty: everywhere.
    status: EntityStatus


class Programme(NamedTuple):
    """Where restricted money may go."""

    number: int
    name: str
    outlet_groups: frozenset[str]
    goods_classes: frozenset[int]  # Empty: every class.
    status: EntityStatus


def outlet_entity(code: str) -> str:
    """Return the registry's key of an outlet."""
    return f"outlet/{code}"


def group_entity(code: str) -> str:
    """Return the registry's key of an outlet group."""
    return f"group/{code}"


def terminal_entity(code: str) -> str:
    """Return the registry's key of a terminal."""
    return f"terminal/{code}"


def product_entity(code: str, in_force_from: int) -> str:
    """Return the key of a product's parameters; each dated set is an entity of its own.

    The topic is compacted by this key: under one key per product the set in force today would
    vanish as soon as next month's was announced.
    """
    return f"product/{code}/{in_force_from}"


def programme_entity(number: int) -> str:
    """Return the registry's key of a programme."""
    return f"programme/{number}"
