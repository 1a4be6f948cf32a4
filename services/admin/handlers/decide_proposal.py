"""Approve or reject what another person proposed; what is approved is done at once with it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.admin.domain.act import Act, Json, Target
from services.admin.domain.operator import caller_of
from services.admin.domain.permission import refuse_role, refuse_scope
from services.admin.domain.proposal import Proposal, ProposalState, is_intact, refuse_decision
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.handlers.perform_act import Done
from services.admin.ports import Author, Executor, Transactions, Work

APPROVE: Final = "approval.approve"
REJECT: Final = "approval.reject"


class _Verdict(NamedTuple):
    """What became of a decision, and what the audit calls it."""

    answer: Done | Refused
    word: str = "refused"


class DecideProposal:
    """The second person's word."""

    def __init__(self, transactions: Transactions, executors: Mapping[str, Executor]) -> None:
        """``executors`` by the first word of an action."""
        self._transactions = transactions
        self._executors = executors

    async def approve(self, caller: Caller, number: int, *, agreed: bytes) -> Done | Refused:
        """Do what was proposed, if it is still what ``agreed`` (its hash) was computed from.

        A proposal whose content or entity has changed since, whose maker may not propose it any
        more, or that cannot be done any more, becomes void. Raises the store's faults,
        MakerIsChecker among them.
        """
        async with self._transactions.begin() as work:
            found = await _find(work, caller, APPROVE, number)
            if isinstance(found, Refused):
                verdict = _Verdict(found)
            else:
                verdict = await self._approve(work, caller, found, agreed)
            await _note(work, caller, Act(APPROVE, _entity(number), {}), found, verdict)
        return verdict.answer

    async def reject(self, caller: Caller, number: int, *, reason: str) -> Done | Refused:
        """Close a proposal; the reason stays with it. Raises as ``approve`` does."""
        async with self._transactions.begin() as work:
            found = await _find(work, caller, REJECT, number)
            if isinstance(found, Refused):
                verdict = _Verdict(found)
            else:
                verdict = await _reject(work, caller, found, reason)
            await _note(work, caller, Act(REJECT, _entity(number), {}, reason), found, verdict)
        return verdict.answer

    async def _approve(
        self, work: Work, caller: Caller, found: Proposal, agreed: bytes
    ) -> _Verdict:
        if (why := refuse_decision(found, checker=caller.operator, agreed=agreed)) is not None:
            return _Verdict(Refused(why))
        executor = self._executors.get(found.act.action.partition(".")[0])
        if executor is None:
            return _Verdict(Refused(Refusal.UNKNOWN, "nothing here carries this action out"))
        target = await executor.target(work, found.act)
        if isinstance(target, Refused):
            return await _void(work, caller, found, target)
        if (why := refuse_scope(caller, target.place)) is not None:
            return _Verdict(Refused(why))
        if await _maker_may_not(work, found, target):
            return await _void(work, caller, found, Refused(Refusal.MAKER_MAY_NOT))
        if target.version != found.version or not is_intact(found):
            return await _void(work, caller, found, Refused(Refusal.CHANGED_MEANWHILE))
        return await _carry_out(work, executor, caller, found, target)


async def _maker_may_not(work: Work, found: Proposal, target: Target) -> bool:
    """Tell whether the maker has lost since what it takes to propose this."""
    maker = await work.operators.find(found.maker_login)
    if maker is None or maker.is_disabled:
        return True
    may_not = refuse_role(caller_of(maker, has_factor=True), found.act.action)
    return may_not is not None or not maker.scope.covers(target.place)


async def _reject(work: Work, caller: Caller, found: Proposal, reason: str) -> _Verdict:
    if not reason.strip():
        return _Verdict(Refused(Refusal.REASON_NEEDED))
    if (why := refuse_decision(found, checker=caller.operator, agreed=found.hash)) is not None:
        return _Verdict(Refused(why))
    await work.proposals.decide(
        found.number, ProposalState.REJECTED, checker=caller.operator, decision=reason
    )
    return _Verdict(Done({}), "rejected")


async def _find(work: Work, caller: Caller, action: str, number: int) -> Proposal | Refused:
    if (why := refuse_role(caller, action)) is not None:
        return Refused(why)
    found = await work.proposals.read(number)
    return Refused(Refusal.UNKNOWN) if found is None else found


async def _carry_out(
    work: Work, executor: Executor, caller: Caller, found: Proposal, target: Target
) -> _Verdict:
    author = Author(found.maker, found.maker_login, caller.operator, caller.login)
    result = await executor.execute(work, found.act, target, author)
    if isinstance(result, Refused):
        return await _void(work, caller, found, result)
    await work.proposals.decide(
        found.number, ProposalState.APPROVED, checker=caller.operator, decision=""
    )
    return _Verdict(Done(result), "approved")


async def _void(work: Work, caller: Caller, found: Proposal, why: Refused) -> _Verdict:
    await work.proposals.decide(
        found.number, ProposalState.VOID, checker=caller.operator, decision=why.why.value.text_en
    )
    return _Verdict(why, "void")


async def _note(
    work: Work, caller: Caller, act: Act, found: Proposal | Refused, verdict: _Verdict
) -> None:
    """Write what was decided about what: the audit tells it without the proposals' table."""
    more: dict[str, Json] = {}
    if isinstance(found, Proposal):
        more |= {
            "action": found.act.action,
            "entity": found.act.entity,
            "hash": found.hash.hex(),
            "maker": found.maker_login,
        }
    if isinstance(verdict.answer, Refused):
        more |= {"why": verdict.answer.why.name, "detail": verdict.answer.detail}
    await work.audit.add(caller, act, verdict.word, more)


def _entity(number: int) -> str:
    return f"proposal/{number}"
