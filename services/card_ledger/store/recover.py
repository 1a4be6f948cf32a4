"""Write batches that come from entries into the books, behind the same fence."""

import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from pydantic import SecretStr

from libs.clock import day_of
from libs.pg import Pool
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.recovery import Entry
from services.card_ledger.domain.transfer import Transfer, serial_of
from services.card_ledger.handlers.recover_books import RecoveryStores
from services.card_ledger.ports import LeaseLost
from services.card_ledger.store.faults import ledger_faults
from services.card_ledger.store.leases import PostgresLeases
from services.card_ledger.store.pools import open_upkeep_pool
from services.card_ledger.store.upkeep import PostgresUpkeep

_LEASE_MS: Final = 60_000

_ADVANCE = """
    UPDATE card_ledger.owner
       SET batch_no = $4, serial = greatest(serial, $5), head = $6,
           booked_on = greatest(booked_on, $7::date), incarnation = greatest(incarnation, $8),
           lease_until = clock_timestamp() + $9 * interval '1 ms'
     WHERE partition = $1 AND epoch = $2 AND batch_no = $3 RETURNING partition
"""
_BATCHES = """
    INSERT INTO card_ledger.batch (incarnation, partition, no, epoch, first_id, last_id,
                                   source_offset, n, at_ms, previous_hash, hash)
    SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[],
                         $6::bigint[], $7::bigint[], $8::int[], $9::bigint[], $10::bytea[],
                         $11::bytea[])
"""
_ROWS = """
    INSERT INTO card_ledger.transfer (
        id, key_day, key, leg, kind, outcome, debit, credit, amount, debit_after,
        credit_after, debit_seq, ref, booked_on, asked, wallet, card, card_token,
        processing_code, goods_class, outlet, terminal, stan, rrn_sent, flags, at)
    SELECT v.id, DATE '1970-01-01' + v.key_day, v.key, v.leg, v.kind, v.outcome, v.debit,
           v.credit, v.amount, v.debit_after, v.credit_after, v.debit_seq, v.ref,
           DATE '1970-01-01' + v.booked_on, v.asked, v.wallet, v.card, v.card_token,
           v.processing_code, v.goods_class, v.outlet, v.terminal, v.stan, v.rrn_sent,
           v.flags, to_timestamp(v.at_ms / 1000.0)
      FROM unnest($1::bigint[], $2::int[], $3::bytea[], $4::smallint[], $5::smallint[],
                  $6::int[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
                  $11::bigint[], $12::bigint[], $13::bigint[], $14::int[], $15::bigint[],
                  $16::bigint[], $17::bigint[], $18::bytea[], $19::int[], $20::smallint[],
                  $21::text[], $22::text[], $23::int[], $24::text[], $25::int[], $26::bigint[])
           AS v(id, key_day, key, leg, kind, outcome, debit, credit, amount, debit_after,
                credit_after, debit_seq, ref, booked_on, asked, wallet, card, card_token,
                processing_code, goods_class, outlet, terminal, stan, rrn_sent, flags, at_ms)
"""
_ONCE = """
    INSERT INTO card_ledger.once (ref, kind, by_id)
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[])
"""
_HASHES = """
    SELECT no, hash FROM card_ledger.batch WHERE partition = $1 AND no = ANY($2::bigint[])
"""
_OPEN = "SELECT number FROM card_ledger.account WHERE number = ANY($1::bigint[])"
_RAISE = """
    UPDATE card_ledger.owner SET incarnation = $2
     WHERE partition = ANY($1::int[]) AND incarnation < $2
"""


class PostgresRecovery:
    """One partition's batches are one transaction: a killed run goes on behind its last one."""

    def __init__(self, pool: Pool, *, lease_ms: int) -> None:
        self._pool = pool
        self._lease_ms = lease_ms

    async def append(self, entries: Sequence[Entry], *, epoch: int, incarnation: int) -> None:
        """Put these batches of one partition behind its last one, all or none.

        ``incarnation`` is what the partition's owner row has from then on. Raises LeaseLost where
        the books do not end where the first of them begins, and KeyTaken or BooksFork.
        """
        first, last = entries[0].head, entries[-1].head
        rows = [(*row, entry.head.at_ms) for entry in entries for row in entry.rows]
        once = [
            (row.ref, row.kind, row.id)
            for entry in entries
            for row in entry.rows
            if row.kind == TransferKind.REVERSAL
        ]
        async with self._pool.transaction() as connection:
            with ledger_faults():
                fenced = await connection.fetch(
                    _ADVANCE, last.partition, epoch, first.no - 1, last.no,
                    max((serial_of(row.id) for row in _rows(entries)), default=0),
                    entries[-1].hash,
                    day_of(max((row.booked_on for row in _rows(entries)), default=0)),
                    incarnation, self._lease_ms,
                )  # fmt: skip
                if not fenced:
                    raise LeaseLost([last.partition])
                heads = [(*entry.head, entry.previous_hash, entry.hash) for entry in entries]
                await connection.execute(_BATCHES, *_turned(heads))
                if rows:
                    await connection.execute(_ROWS, *_turned(rows))
                if once:
                    await connection.execute(_ONCE, *_turned(once))

    async def hashes(self, partition: int, numbers: Sequence[int]) -> Mapping[int, bytes]:
        """Return the hashes of those batches that the books have."""
        return {
            row["no"]: row["hash"] for row in await self._pool.read(_HASHES, partition, numbers)
        }

    async def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Return which of these accounts are open."""
        return {row["number"] for row in await self._pool.read(_OPEN, numbers)}

    async def raise_incarnation(self, partitions: Sequence[int], incarnation: int) -> None:
        """Give these partitions at least this incarnation. Idempotent."""
        await self._pool.write(_RAISE, partitions, incarnation)


@asynccontextmanager
async def open_recovery(dsn: SecretStr) -> AsyncIterator[RecoveryStores]:
    """Open what recovery needs. The login is of the tables' owner.

    The ledger's own role may write batches of its own only.
    """
    leases = PostgresLeases(dsn, lease_ms=_LEASE_MS)
    try:
        async with open_upkeep_pool(dsn) as pool:
            yield RecoveryStores(
                leases,
                PostgresRecovery(pool, lease_ms=_LEASE_MS),
                PostgresUpkeep(pool),
                _LEASE_MS,
                f"lesko ledger recover on {socket.gethostname()}, process {os.getpid()}",
            )
    finally:
        await leases.close()


def _rows(entries: Sequence[Entry]) -> list[Transfer]:
    return [row for entry in entries for row in entry.rows]


def _turned(rows: "Sequence[tuple[object, ...]]") -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
