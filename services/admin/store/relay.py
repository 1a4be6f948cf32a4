"""Whose turn it is to relay the registry: a lock that dies with its holder's connection."""

from contextlib import suppress
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from libs.pg import DRIVER_TROUBLE, translate

_TIMEOUT_S: Final = 5
_TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
_ALIVE: Final = "SELECT 1"


class PostgresRelay:
    """The relay of one log, on a connection of its own that vouches for ours.

    The lock is named by the log: processes on memory buses of their own do not stop one another.
    """

    def __init__(self, dsn: SecretStr) -> None:
        self._dsn = dsn
        self._kept: asyncpg.Connection[Any] | None = None
        self._held = ""
        self._turns = 0

    async def turn(self, log: str) -> int | None:
        """Return the number of our turn, higher each time we got it; None: another has it.

        Raises StoreUnavailable.
        """
        try:
            kept = await self._connection(log)
            if self._held == log:
                await kept.fetchval(_ALIVE)
                return self._turns
            if not await kept.fetchval(_TAKE, f"admin relay {log}"):
                return None
        except DRIVER_TROUBLE as error:
            fault = translate(error, may_have_committed=False)
            if fault is None:
                raise
            self._let_go()
            raise fault from None
        self._held = log
        self._turns += 1
        return self._turns

    async def close(self) -> None:
        """Let the next one relay."""
        with suppress(*DRIVER_TROUBLE):
            if self._kept is not None:
                await self._kept.close(timeout=_TIMEOUT_S)
        self._let_go()

    def _let_go(self) -> None:
        kept, self._kept, self._held = self._kept, None, ""
        if kept is not None:
            kept.terminate()

    async def _connection(self, log: str) -> "asyncpg.Connection[Any]":
        if self._held not in ("", log):
            await self.close()  # Lets go of the old log's lock.
        if self._kept is None or self._kept.is_closed():
            self._held = ""
            self._kept = await asyncpg.connect(
                self._dsn.get_secret_value(),
                timeout=_TIMEOUT_S,
                command_timeout=_TIMEOUT_S,
                server_settings={
                    "application_name": "admin.relay",
                    # A holder whose machine is gone must not hold the lock for hours.
                    "tcp_keepalives_idle": "10",
                    "tcp_keepalives_interval": "5",
                    "tcp_keepalives_count": "3",
                },
            )
        return self._kept
