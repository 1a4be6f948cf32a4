"""Who an operator is: a role says what, a scope says where."""

from enum import IntEnum
from typing import NamedTuple


class Role(IntEnum):
    """What an operator is there for; the numbers stand in the table."""

    ADMINISTRATOR = 1
    OPERATOR = 2
    APPROVER = 3
    AUDITOR = 4
    FINANCE = 5


class Place(NamedTuple):
    """Where the thing is that somebody wants to change; of things that are everywhere, empty."""

    region: str = ""
    groups: frozenset[str] = frozenset()
    moved_from: "Place | None" = None  # Who moves a thing acts in both places.


EVERYWHERE = Place()


class Scope(NamedTuple):
    """Where an operator may act: in these regions and in these outlet groups; empty: in all."""

    regions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def covers(self, place: Place) -> bool:
        """Whether an operator of this scope may act there."""
        in_region = not self.regions or place.region in self.regions
        in_group = not self.groups or not self.groups.isdisjoint(place.groups)
        from_there = place.moved_from is None or self.covers(place.moved_from)
        return in_region and in_group and from_there


class Caller(NamedTuple):
    """An operator whose credential was verified a moment ago."""

    operator: int
    login: str
    role: Role
    scope: Scope
    has_factor: bool = False  # A second factor was shown for this session.
