"""End the session of a request."""

from typing import Final

from services.admin.domain.act import Act
from services.admin.domain.operator import entity_of
from services.admin.domain.role import Caller
from services.admin.domain.session import token_hash
from services.admin.ports import Transactions

SIGN_OUT: Final = "session.close"


class SignOut:
    """From the next request on the token is nobody's."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, caller: Caller, token: str) -> None:
        """Revoke the session behind a token; raises the store's faults."""
        async with self._transactions.begin() as work:
            await work.operators.close_session(token_hash(token))
            await work.audit.add(caller, Act(SIGN_OUT, entity_of(caller.login), {}), "done", {})
