"""Permission to recover the books: an administrator proposes, another person approves."""

from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import a_caller
from services.admin.domain.act import Act
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import Done, PerformAct, Proposed
from services.admin.handlers.recover_ledger import LEDGER, RECOVER, RecoverLedger

ASKED = Act(RECOVER, LEDGER, {}, "the disk is gone")


async def test_takes_two_people() -> None:
    """Nobody else may propose it, and it is allowed once the second person has approved it."""
    tables = MemoryTransactions()
    executors = {"ledger": RecoverLedger()}
    perform, decide = PerformAct(tables, executors), DecideProposal(tables, executors)

    refused = await perform(a_caller(Role.OPERATOR), ASKED)
    maker = a_caller(Role.ADMINISTRATOR, operator=1)
    tables.put(maker)
    proposed = await perform(maker, ASKED)
    assert isinstance(proposed, Proposed)
    approver = a_caller(Role.APPROVER, operator=2)
    agreed = tables.proposals[proposed.number].hash
    done = await decide.approve(approver, proposed.number, agreed=agreed)

    assert Refused(Refusal.NOT_YOUR_ROLE) == refused
    assert isinstance(done, Done)
    assert RECOVER == done.result["allowed"]
