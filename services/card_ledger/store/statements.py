"""What a person wants to see of a wallet: purses now and the last movements."""

from libs.contracts.accounts import PURSES_MAX, purse_account
from libs.pg import Pool
from services.card_ledger.domain.wallet_view import Movement, PurseNow, Statement

_NOW = """
    SELECT a.number, a.programme, a.valid_until,
           coalesce(d.after, a.balance) AS balance
      FROM card_ledger.account a
      LEFT JOIN LATERAL (
           SELECT id, after FROM (
               (SELECT id, debit_after AS after FROM card_ledger.transfer
                 WHERE debit = a.number AND debit_seq > 0 ORDER BY debit_seq DESC LIMIT 1)
               UNION ALL
               (SELECT id, credit_after FROM card_ledger.transfer
                 WHERE credit = a.number AND debit_seq > 0 ORDER BY id DESC LIMIT 1)) AS ends
            ORDER BY id DESC LIMIT 1) AS d ON true
     WHERE a.number = ANY($1::bigint[]) ORDER BY a.number
"""
_LAST = """
    SELECT id, at, kind, outcome, debit, credit, amount, terminal, outlet, stan
      FROM card_ledger.transfer
     WHERE debit = ANY($1::bigint[]) OR (credit = ANY($1::bigint[]) AND debit_seq > 0)
     ORDER BY at DESC, id DESC LIMIT $2
"""


class PostgresStatements:
    """Reads only committed rows, never a projection."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def wallet(self, wallet: int, *, last: int = 20) -> Statement:
        """Return the purses of a wallet and its last rows."""
        numbers = [purse_account(wallet, purse) for purse in range(PURSES_MAX + 1)]
        purses = [PurseNow(*row) for row in await self._pool.read(_NOW, numbers)]
        rows = await self._pool.read(_LAST, numbers, last)
        return Statement(purses, [Movement(*row) for row in rows])
