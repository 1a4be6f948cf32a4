"""Carry out what changes other people's rights: add, role, reset, disable."""

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import replace
from secrets import token_bytes
from typing import Final, NamedTuple

from libs.clock import Clock
from libs.registry.entities import group_entity
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.enrolment import CODE_BYTES, code_hash, invited, shown
from services.admin.domain.operator import (
    Operator,
    login_of,
    new_operator,
    with_next_version,
    with_rights,
)
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role, Scope
from services.admin.ports import Author, Work

ADD: Final = "operator.add"
ROLE: Final = "operator.role"
RESET: Final = "operator.reset"
DISABLE: Final = "operator.disable"
_NEVER_NONE: Final = frozenset({Role.ADMINISTRATOR, Role.APPROVER})
"""Without one of these who can act nothing could be put right again by those who are left."""


class _Plan(NamedTuple):
    """What an act comes to, as the table stands now."""

    after: Operator
    version: int  # Of the operator as they are; 0: not there yet.
    is_invited: bool  # Gets a one-time code to enrol with.


class ManageOperators:
    """The executor of ``operator``. A one-time code stands in the result, and nowhere else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def target(self, work: Work, act: Act) -> Target | Refused:
        """Find whom an act is about; refused at once is what could not be done now."""
        await work.operators.hold()
        plan = await self._plan(work, act)
        return plan if isinstance(plan, Refused) else Target(version=plan.version)

    async def execute(
        self,
        work: Work,
        act: Act,
        target: Target,  # noqa: ARG002 -- the port's shape; the row is read again
        author: Author,
    ) -> Mapping[str, Json] | Refused:
        """Change somebody's rights; all sessions end where they must sign in anew."""
        plan = await self._plan(work, act)
        if isinstance(plan, Refused):
            return plan
        if act.action == ROLE and plan.after.id in (author.maker, author.checker):
            return Refused(Refusal.NOT_ALLOWED, "nobody changes the own role")
        after, result = plan.after, show_operator(plan.after)
        if plan.is_invited:
            after, code = invite(after, self._clock.now_ms())
            result |= {"enrolment_code": code, "enrol_until_ms": after.enrol_until_ms}
        if not plan.version:
            await work.operators.add(after)
            return result
        await work.operators.write(with_next_version(after))
        if plan.is_invited or after.is_disabled:
            await work.operators.close_sessions(after.id)
        return result

    async def _plan(self, work: Work, act: Act) -> _Plan | Refused:
        known = await work.operators.read(login_of(act.entity))
        if act.action == ADD:
            return await _plan_new(work, act, known)
        if known is None:
            return Refused(Refusal.UNKNOWN)
        if known.is_disabled:
            return Refused(Refusal.WRONG_STATE, "a disabled operator stays so; add a new one")
        plan = _plan_change(act, known)
        if isinstance(plan, Refused):
            return plan
        if await _is_last(work, known, plan):
            role = known.role.name.lower()
            detail = f"this is the last {role} who can act everywhere; add another one first"
            return Refused(Refusal.WRONG_STATE, detail)
        return await _refuse_groups(work, plan.after.scope) or plan


def invite(operator: Operator, now_ms: int) -> tuple[Operator, str]:
    """Return an operator who must enrol, and the code to do it with, as people read it."""
    code = b32encode(token_bytes(CODE_BYTES)).decode()
    return invited(operator, code_hash(code), now_ms), shown(code)


def show_operator(operator: Operator) -> dict[str, Json]:
    """Return what others may know of an operator's rights."""
    return {
        "login": operator.login,
        "name": operator.name,
        "role": operator.role.name.lower(),
        "regions": [*sorted(operator.scope.regions)],
        "groups": [*sorted(operator.scope.groups)],
        "is_disabled": operator.is_disabled,
    }


async def _plan_new(work: Work, act: Act, known: Operator | None) -> _Plan | Refused:
    if known is not None:
        return Refused(Refusal.EXISTS, "logins are never given twice")
    after = new_operator(login_of(act.entity), act.content)
    if isinstance(after, Refused):
        return after
    return await _refuse_groups(work, after.scope) or _Plan(after, 0, is_invited=True)


def _plan_change(act: Act, known: Operator) -> _Plan | Refused:
    if act.action == RESET:
        return _Plan(known, known.version, is_invited=True)
    if act.action == DISABLE:
        return _Plan(replace(known, is_disabled=True), known.version, is_invited=False)
    after = with_rights(known, act.content)
    if isinstance(after, Refused):
        return after
    if after == known:
        return Refused(Refusal.NOT_ALLOWED, "this is their role and scope already")
    # A new approver has to get a factor before anything else.
    must_enrol = after.role is Role.APPROVER and known.can_sign_in and not after.can_act
    return _Plan(after, known.version, is_invited=must_enrol)


async def _is_last(work: Work, known: Operator, plan: _Plan) -> bool:
    after = plan.after
    is_kept = after.role is known.role and after.can_act_everywhere and not plan.is_invited
    if is_kept or not known.can_act_everywhere or known.role not in _NEVER_NONE:
        return False
    return not await work.operators.others_everywhere(known.role, but=known.id)


async def _refuse_groups(work: Work, scope: Scope) -> Refused | None:
    names = sorted(scope.groups)
    found = await work.registry.find([group_entity(name) for name in names])
    missing = [name for name in names if group_entity(name) not in found]
    if not missing:
        return None
    return Refused(Refusal.NOT_ALLOWED, f"there is no outlet group {missing[0]}")
