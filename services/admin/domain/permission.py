"""Who may do what, and what needs two people: one table, from which tests make their matrix."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from services.admin.domain.refusal import Refusal
from services.admin.domain.role import Caller, Place, Role


class Rule(NamedTuple):
    """Who may ask for an action; with ``two_people`` another one must approve it."""

    roles: frozenset[Role]
    two_people: bool = False


_OPERATORS: Final = frozenset({Role.OPERATOR})
_ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
_FINANCE: Final = frozenset({Role.FINANCE})
_APPROVERS: Final = frozenset({Role.APPROVER})
_READERS: Final = frozenset(Role)
_AUDITORS: Final = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "outlet.add": Rule(_OPERATORS),
        "outlet.set": Rule(_OPERATORS),
        "outlet.pause": Rule(_OPERATORS),
        "outlet.resume": Rule(_OPERATORS),
        "outlet.close": Rule(_OPERATORS),
        "outlet.import": Rule(_OPERATORS),
        "terminal.add": Rule(_OPERATORS),
        "terminal.set": Rule(_OPERATORS),
        "terminal.pause": Rule(_OPERATORS),
        "terminal.resume": Rule(_OPERATORS),
        "terminal.close": Rule(_OPERATORS),
        "group.add": Rule(_ADMINISTRATORS),
        "group.set": Rule(_ADMINISTRATORS),
        "group.close": Rule(_ADMINISTRATORS),
        "product.add": Rule(_ADMINISTRATORS, two_people=True),
        "product.set": Rule(_ADMINISTRATORS, two_people=True),
        "product.pause": Rule(_ADMINISTRATORS),  # Stopping is always one person's right.
        "product.resume": Rule(_ADMINISTRATORS, two_people=True),
        "product.close": Rule(_ADMINISTRATORS, two_people=True),
        "programme.add": Rule(_ADMINISTRATORS, two_people=True),
        "programme.set": Rule(_ADMINISTRATORS, two_people=True),
        "programme.pause": Rule(_ADMINISTRATORS),
        "programme.resume": Rule(_ADMINISTRATORS, two_people=True),
        "programme.close": Rule(_ADMINISTRATORS, two_people=True),
        "card.import": Rule(_OPERATORS),
        "card.issue": Rule(_OPERATORS),
        "card.block": Rule(_OPERATORS),
        "card.unblock": Rule(_OPERATORS),
        "card.lost": Rule(_OPERATORS),
        "card.stolen": Rule(_OPERATORS),
        "card.recover": Rule(_OPERATORS, two_people=True),  # Back from lost or stolen.
        "card.close": Rule(_OPERATORS),
        "card.show": Rule(_READERS - {Role.AUDITOR}),
        "command.show": Rule(_READERS),  # Of a command only who may show what it is about.
        "wallet.adjust": Rule(_FINANCE, two_people=True),
        "wallet.show": Rule(_READERS),
        "wallet.statement": Rule(frozenset({Role.OPERATOR, Role.FINANCE, Role.AUDITOR})),
        "operator.add": Rule(_ADMINISTRATORS, two_people=True),
        "operator.role": Rule(_ADMINISTRATORS, two_people=True),
        "operator.reset": Rule(_ADMINISTRATORS, two_people=True),  # A new password and factor.
        "operator.disable": Rule(_ADMINISTRATORS),
        "operator.list": Rule(_AUDITORS | _APPROVERS),
        "approval.list": Rule(_READERS),
        "approval.approve": Rule(_APPROVERS),
        "approval.reject": Rule(_APPROVERS),
        "audit.list": Rule(_AUDITORS),
        "audit.verify": Rule(_AUDITORS),
        "registry.show": Rule(_READERS),
        "ledger.recover": Rule(_ADMINISTRATORS, two_people=True),
    }
)


def refuse_role(caller: Caller, action: str) -> Refusal | None:
    """Return why this role may not do this; what the table does not name is nobody's.

    An approver who has shown no second factor may do nothing at all.
    """
    rule = RULES.get(action)
    if rule is None or caller.role not in rule.roles:
        return Refusal.NOT_YOUR_ROLE
    if caller.role is Role.APPROVER and not caller.has_factor:
        return Refusal.CODE_NEEDED
    return None


def refuse_scope(caller: Caller, place: Place) -> Refusal | None:
    """Return why this caller may not act there."""
    return None if caller.scope.covers(place) else Refusal.NOT_YOUR_SCOPE


def needs_two(action: str, *, has_approver: bool) -> bool:
    """Whether another person must approve it.

    While nobody can approve anything, operators are added by one: the first approver has to come
    from somewhere. That is written to the audit like everything else.
    """
    if action == "operator.add" and not has_approver:
        return False
    return RULES[action].two_people
