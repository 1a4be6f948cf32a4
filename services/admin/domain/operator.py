"""An operator as the table knows them, and what may be asked of one: names, roles, scopes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.admin.domain.act import Json
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller, Role, Scope

LOGIN: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
NAME_MAX: Final = 80
PLACES_MAX: Final = 50
PLACE_MAX: Final = 40
_SHOWN_OF_UNKNOWN: Final = 3
_PREFIX: Final = "operator/"
EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One row; what must not be printed is not in its repr."""

    id: int = 0  # 0: not in the table yet.
    login: str
    name: str
    role: Role
    scope: Scope = EVERYTHING
    version: int = 1  # Raised by each change of rights.
    is_disabled: bool = False
    password_hash: str = field(default="", repr=False)  # Empty: has not enrolled yet.
    enrol_hash: bytes = field(default=b"", repr=False)  # Empty: no code is out.
    enrol_until_ms: int = 0
    factor_sealed: bytes = field(default=b"", repr=False)  # Empty: none.
    factor_offered: bytes = field(default=b"", repr=False)
    factor_step: int = 0
    failed: int = 0
    locked_until_ms: int = 0

    @property
    def can_sign_in(self) -> bool:
        """Whether there is anything to sign in with; a lock is another question."""
        return bool(self.password_hash) and not self.is_disabled

    @property
    def can_act(self) -> bool:
        """Whether this person can do what the role is there for, once signed in."""
        return self.can_sign_in and (self.role is not Role.APPROVER or bool(self.factor_sealed))

    @property
    def can_act_everywhere(self) -> bool:
        """Whether this person can also act on what has no place, as other people's rights."""
        return self.can_act and self.scope == EVERYTHING


def entity_of(login: str) -> str:
    """Return how acts and the audit name an operator."""
    return _PREFIX + login


def login_of(entity: str) -> str:
    """Return the login that an entity names."""
    return entity.removeprefix(_PREFIX)


def safe_login(text: str) -> str:
    """Return what may be written of a login that nobody has: it may be a password, or a card."""
    plain = "".join(c for c in text.lower() if c.isascii() and (c.isalpha() or c in "._-"))
    return plain[:_SHOWN_OF_UNKNOWN] + "*"


def caller_of(operator: Operator, *, has_factor: bool) -> Caller:
    """Return an operator as the one who asks."""
    return Caller(operator.id, operator.login, operator.role, operator.scope, has_factor)


def new_operator(login: str, content: Mapping[str, Json]) -> Operator | Refused:
    """Return who is to be added; Refused says what cannot be so."""
    name = str(content.get("name", "")).strip()
    if not LOGIN.fullmatch(login):
        return _refuse("a login is 2 to 32 of a-z, 0-9, dot, dash, underscore, a letter first")
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        return _refuse(f"a name has 1 to {NAME_MAX} characters")
    blank = Operator(login=login, name=name, role=Role.AUDITOR)
    return with_rights(blank, content)


def with_rights(operator: Operator, content: Mapping[str, Json]) -> Operator | Refused:
    """Return an operator with the role and scope that a content names; what it lacks stays."""
    role, regions, groups = (content.get(name) for name in ("role", "regions", "groups"))
    known = {one.name.lower(): one for one in Role}
    if role is not None and (not isinstance(role, str) or role not in known):
        return _refuse(f"a role is one of {', '.join(known)}")
    scope = operator.scope
    for name, places in (("regions", regions), ("groups", groups)):
        if places is None:
            continue
        if not _are_places(places):
            return _refuse(f"{name} are up to {PLACES_MAX} names of 1 to {PLACE_MAX} characters")
        assert isinstance(places, list)
        scope = scope._replace(**{name: frozenset(map(str, places))})
    return replace(operator, role=operator.role if role is None else known[str(role)], scope=scope)


def with_next_version(operator: Operator) -> Operator:
    """Return an operator whose rights have changed, so that what was proposed before is void."""
    return replace(operator, version=operator.version + 1)


def _are_places(found: Json) -> bool:
    return (
        isinstance(found, list)
        and len(found) <= PLACES_MAX
        and all(
            isinstance(one, str) and 1 <= len(one) <= PLACE_MAX and one.isprintable()
            for one in found
        )
    )


def _refuse(detail: str) -> Refused:
    return Refused(Refusal.NOT_ALLOWED, detail)
