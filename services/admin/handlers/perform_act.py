"""Do what an operator asks, or keep it for a second person; either way the audit says so."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from libs.observe.redaction import redact_text
from services.admin.domain.act import Act, Json
from services.admin.domain.operator import entity_of
from services.admin.domain.permission import needs_two, refuse_role, refuse_scope
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.ports import Author, Executor, Transactions, Work


class Done(NamedTuple):
    """It is done; ``result`` is what the asker hears."""

    result: Mapping[str, Json]


class Proposed(NamedTuple):
    """It waits for a second person under this number."""

    number: int


Answer = Done | Proposed | Refused

_ROLE: Final = "operator.role"
_NAMES_CARD: Final = Refused(
    Refusal.NOT_ALLOWED, "a text names a card by its number; texts are kept for ever, leave it out"
)


class PerformAct:
    """Every change that a person makes goes through here: right, scope, two people, audit."""

    def __init__(self, transactions: Transactions, executors: Mapping[str, Executor]) -> None:
        """``executors`` by the first word of an action."""
        self._transactions = transactions
        self._executors = executors

    async def __call__(self, caller: Caller, act: Act) -> Answer:
        """Do or propose an act in one transaction with its audit row; raises the store's faults."""
        is_clean = not _names_card(act)
        if not is_clean:
            act = Act(act.action, act.entity, {})  # What must not be kept is not kept here either.
        async with self._transactions.begin() as work:
            answer = await self._perform(work, caller, act) if is_clean else _NAMES_CARD
            result, more = _words(answer)
            await work.audit.add(caller, act, result, more)
        return answer

    async def refuse_role(self, caller: Caller, actions: Sequence[str], at: str) -> Refused | None:
        """Return why this role may do none of these, having noted the attempt at a place."""
        refusals = [refuse_role(caller, action) for action in actions]
        why = refusals[0] if None not in refusals else None
        if why is None:
            return None
        async with self._transactions.begin() as work:
            await work.audit.add(caller, Act(actions[0], at, {}), "refused", {"why": why.name})
        return Refused(why)

    async def _perform(self, work: Work, caller: Caller, act: Act) -> Answer:
        # The right to ask first: who may not do it learns nothing of what there is.
        if (why := refuse_role(caller, act.action)) is not None:
            return Refused(why)
        if act.action == _ROLE and act.entity == entity_of(caller.login):
            return Refused(Refusal.NOT_ALLOWED, "nobody changes the own role")
        executor = self._executors.get(act.action.partition(".")[0])
        if executor is None:
            return Refused(Refusal.UNKNOWN, "nothing here carries this action out")
        target = await executor.target(work, act)
        if isinstance(target, Refused):
            return target
        if (why := refuse_scope(caller, target.place)) is not None:
            return Refused(why)
        if needs_two(act.action, has_approver=await work.operators.has_approver()):
            if not act.reason.strip():
                return Refused(Refusal.REASON_NEEDED)
            number = await work.proposals.add(act, version=target.version, maker=caller.operator)
            return Proposed(number)
        author = Author(caller.operator, caller.login)
        result = await executor.execute(work, act, target, author)
        return result if isinstance(result, Refused) else Done(result)


def _names_card(act: Act) -> bool:
    """Whether a text that a person wrote would keep a card number in clear."""
    name = act.content.get("name")
    texts = (act.reason, act.document, name if isinstance(name, str) else "")
    return any(redact_text(text) != text for text in texts)


def _words(answer: Answer) -> tuple[str, Mapping[str, Json]]:
    """Return what the audit says of an answer."""
    match answer:
        case Done():
            return "done", {}
        case Proposed(number):
            return "proposed", {"proposal": number}
        case Refused(why, detail):
            return "refused", {"why": why.name, "detail": detail}
