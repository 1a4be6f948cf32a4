"""Leases in the owner rows, taken and renewed on one connection whose life vouches for ours."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
from pydantic import SecretStr

from libs.clock import day_number
from libs.pg import DRIVER_TROUBLE, translate
from services.card_ledger.ports import LeaseLost, OwnedPartition

_TAKE = "SELECT * FROM card_ledger.take_leases($1, $2)"
_RENEW = "SELECT * FROM card_ledger.renew_leases($1::int[], $2::bigint[], $3)"
_GIVE_BACK = """
    UPDATE card_ledger.owner o SET lease_until = NULL, holder = ''
      FROM unnest($1::int[], $2::bigint[]) AS v(partition, epoch)
     WHERE o.partition = v.partition AND o.epoch = v.epoch
"""
_MOVE_BACK = """
    UPDATE card_ledger.owner o SET source_offset = v.source_offset
      FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS v(partition, epoch, source_offset)
     WHERE o.partition = v.partition AND o.epoch = v.epoch RETURNING o.partition
"""
_HOLDERS = """
    SELECT DISTINCT holder FROM card_ledger.owner
     WHERE holder <> '' AND lease_until >= clock_timestamp() ORDER BY holder
"""
_TIMEOUT_S = 5


class PostgresLeases:
    """Leases of partitions. A killed holder's connection ends with it, so its leases are free."""

    def __init__(self, dsn: SecretStr, *, lease_ms: int) -> None:
        self._dsn = dsn
        self._lease_ms = lease_ms
        self._kept: asyncpg.Connection[Any] | None = None
        self._turn = asyncio.Lock()  # A connection does one thing at a time.

    async def take(self, holder: str) -> Sequence[OwnedPartition]:
        """Take all partitions, or none while anybody holds one; the epoch rises."""
        rows = await self._fetch(_TAKE, holder, self._lease_ms)
        return [
            OwnedPartition(
                partition=row["partition"],
                epoch=row["epoch"],
                incarnation=row["incarnation"],
                batch_no=row["batch_no"],
                serial=row["serial"],
                head=row["head"],
                booked_on=day_number(row["booked_on"]),
                topic_id=row["topic_id"],
                source_offset=row["source_offset"],
                projected_id=row["projected_id"],
            )
            for row in rows
        ]

    async def renew(self, epochs: Mapping[int, int]) -> None:
        """Prolong what is held; raises LeaseLost."""
        lost = await self._fetch(_RENEW, list(epochs), list(epochs.values()), self._lease_ms)
        if lost:
            raise LeaseLost([row[0] for row in lost])

    async def give_back(self, epochs: Mapping[int, int]) -> None:
        """Let others take these partitions at once."""
        await self._fetch(_GIVE_BACK, list(epochs), list(epochs.values()))

    async def move_back(self, epochs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Store a lower position; only a log that lost its tail has one. Raises LeaseLost."""
        numbers = list(epochs)
        moved = await self._fetch(
            _MOVE_BACK, numbers, list(epochs.values()), [offsets[number] for number in numbers]
        )
        if lost := epochs.keys() - {row["partition"] for row in moved}:
            raise LeaseLost(sorted(lost))

    async def holders(self) -> list[str]:
        """Name who holds leases now, for a clear sentence."""
        return [row["holder"] for row in await self._fetch(_HOLDERS)]

    async def close(self) -> None:
        """Let go of the connection; what was not given back becomes free with it."""
        kept, self._kept = self._kept, None
        if kept is not None and not kept.is_closed():
            with _faults():
                await kept.close(timeout=_TIMEOUT_S)

    async def _fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        async with self._turn:
            with _faults():
                if self._kept is None or self._kept.is_closed():
                    self._kept = await asyncpg.connect(
                        self._dsn.get_secret_value(),
                        timeout=_TIMEOUT_S,
                        command_timeout=_TIMEOUT_S,
                        server_settings={"application_name": "card_ledger.leases"},
                    )
                try:
                    return await self._kept.fetch(sql, *args)
                except asyncpg.InternalClientError:
                    self._kept.terminate()  # It would say the same for ever.
                    raise


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except DRIVER_TROUBLE as error:
        fault = translate(error, may_have_committed=False)
        if fault is None:
            raise
        raise fault from None
