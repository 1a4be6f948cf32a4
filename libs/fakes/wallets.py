"""A ledger of one wallet and the desk in front of it, for tests of routes and commands."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, Final

from libs.clock import day_number
from libs.contracts.accounts import adjustment_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import (
    LedgerAnswer,
    PurseAmount,
    Transfer,
    WalletMovements,
)
from libs.fakes.admin import MemoryTransactions
from libs.outcome import Outcome
from services.admin.domain.role import Caller, Role, Scope
from services.admin.domain.statement import Adjusted, Note, Statement
from services.admin.handlers.adjust_wallet import AdjustWallet
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.read_statement import ReadStatement

DAY: Final = date(2026, 11, 24)
WALLET: Final = 7
OWN, KEY = purse_account(WALLET), b"k" * 16


class OneWallet:
    """Knows wallet 7 with one adjustment of 500 sen."""

    async def movements(
        self, wallet: int, *, first_day: int, last_day: int, after: int
    ) -> WalletMovements:
        """Return its one page."""
        if wallet != WALLET:
            return WalletMovements(wallet=wallet)
        row = Transfer(
            id=1, debit=adjustment_account(3), credit=OWN, amount_minor=500, debit_after=-500,
            credit_after=500, kind=13, key=KEY, booked_on=day_number(DAY),
        )  # fmt: skip
        is_then = first_day == day_number(DAY)
        return WalletMovements(
            opening=[PurseAmount(account=OWN, amount_minor=0 if is_then else 500)],
            closing=[PurseAmount(account=OWN, amount_minor=500)],
            movements=[row] if is_then else [],
        )


class OneNote:
    """Why it was adjusted."""

    async def notes(self, wallet: int) -> Mapping[bytes, Note]:
        """Return reason and document."""
        return {KEY: Note("Selisih kas", "BA-17")}

    async def latest(self, wallet: int, *, rows_max: int) -> Sequence[Adjusted]:
        """Return one that is booked, one that was refused and one that waits."""
        answers = [
            LedgerAnswer(outcome=outcome.number).SerializeToString()
            for outcome in (Outcome.APPROVED, Outcome.FUNDS_SHORT)
        ]
        note = Note("Selisih kas", "BA-17")
        return [Adjusted(KEY, DAY, note, answer) for answer in (*answers, None)]


class RoleCallers:
    """A token is the name of a role."""

    async def find(self, token: str) -> Caller | None:
        """Return somebody of that role."""
        return Caller(1, "ani", Role[token], Scope(), has_factor=True)


async def a_file(statement: Statement) -> bytes:
    """Write a file of a statement."""
    return f"{len(statement.entries)} movements".encode()


def wallet_desk(transactions: MemoryTransactions) -> Any:
    """Build a desk for the routes of wallets alone."""
    executors = {"wallet": AdjustWallet(8, lambda: day_number(DAY))}
    return SimpleNamespace(
        callers=RoleCallers(),
        perform=PerformAct(transactions, executors),
        wallets=ReadStatement(OneWallet(), OneNote(), {"csv": a_file, "pdf": a_file}),
    )
