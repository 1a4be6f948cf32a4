"""The books in PostgreSQL: the one statement of a batch, and what is read back from rows."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Any

import asyncpg

from libs.clock import day_number, day_of
from libs.pg import CommitUnknown, Pool, StoreUnavailable
from services.card_ledger.domain.book import SHARD_TERMS, Account, Terms
from services.card_ledger.domain.chain import BatchHead
from services.card_ledger.domain.limit import (
    NO_USAGE,
    Usage,
    month_of,
    month_start,
    replay_usage,
)
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer, transfer_id
from services.card_ledger.ports import Batch, BookState, NewAccount, OnceOnly, OwnedPartition
from services.card_ledger.store.faults import ledger_faults
from services.card_ledger.store.upkeep import PostgresUpkeep

COLUMNS = (
    "id, key_day - DATE '1970-01-01' AS key_day, key, leg, kind, outcome, debit, credit, amount,"
    " debit_after, credit_after, debit_seq, ref, booked_on - DATE '1970-01-01' AS booked_on, asked,"
    " wallet, card, card_token, processing_code, goods_class, outlet, terminal, stan, rrn_sent,"
    " flags"
)
_WIDTH = len(Transfer._fields)
_POST = f"SELECT card_ledger.post_batch({', '.join(f'${n}' for n in range(1, 45))})"
_STORED = f"""
    SELECT {COLUMNS} FROM card_ledger.transfer
     WHERE key = ANY($1::bytea[]) AND key_day = ANY($2::date[])
"""  # noqa: S608 -- our own columns
_TAIL = """
    SELECT t.id, t.debit, t.credit, t.amount, t.debit_after, t.credit_after, t.debit_seq, t.wallet,
           t.kind, t.leg, coalesce(o.booked_on, t.booked_on) - DATE '1970-01-01' AS spent_on
      FROM card_ledger.transfer t
      LEFT JOIN card_ledger.transfer o ON t.ref > 0 AND o.id = t.ref AND o.key_day = t.key_day
     WHERE t.id > $1 AND t.id < $2 AND t.outcome = 1 AND t.debit_seq > 0 ORDER BY t.id
"""
_ACCOUNTS = """
    SELECT number, balance, seq, floor, ceiling, valid_until, programme
      FROM card_ledger.account WHERE partition = ANY($1::int[])
"""
_SOME_ACCOUNTS = """
    SELECT number, balance, seq, floor, ceiling, valid_until, programme
      FROM card_ledger.account WHERE number = ANY($1::bigint[])
"""
_USAGE = """
    SELECT wallet, sum(amount)::bigint AS month_amount, sum(count)::int AS month_count,
           coalesce(sum(amount) FILTER (WHERE booked_on = $2), 0)::bigint AS day_amount,
           coalesce(sum(count) FILTER (WHERE booked_on = $2), 0)::int AS day_count
      FROM card_ledger.limit_usage
     WHERE partition = ANY($1::int[]) AND booked_on BETWEEN $3 AND $2 GROUP BY wallet
"""
_BATCHES = """
    SELECT incarnation, partition, no, epoch, first_id, last_id, source_offset, n, at_ms,
           previous_hash, hash
      FROM card_ledger.batch WHERE partition = $1 AND no BETWEEN $2 AND $3 ORDER BY no LIMIT $4
"""
_BATCH_ROWS = f"""
    SELECT {COLUMNS} FROM card_ledger.transfer WHERE id BETWEEN $1 AND $2 ORDER BY id
"""  # noqa: S608 -- our own columns
_HEADS = "SELECT partition, head FROM card_ledger.owner WHERE partition = ANY($1::int[])"
_OWNED = """
    SELECT partition, epoch, incarnation, batch_no, serial, head, booked_on, topic_id,
           source_offset, projected_id FROM card_ledger.owner WHERE partition = ANY($1::int[])
"""


class PostgresBooks:
    """Reads and writes the books; every call is one round trip or one snapshot."""

    def __init__(self, pool: Pool, upkeep: Pool, *, lease_ms: int) -> None:
        """Write through ``pool``; read the whole state through ``upkeep``, which may take long."""
        self._pool = pool
        self._upkeep = upkeep
        self._lease_ms = lease_ms

    async def load(self, owned: Sequence[OwnedPartition], day: int) -> BookState:
        """Read balances and usage of these partitions as of the last committed row."""
        partitions = [one.partition for one in owned]
        today, start = day_of(day), day_of(month_start(day))
        async with (
            self._upkeep.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            positions = await connection.fetch(_OWNED, partitions)
            accounts = _accounts(await connection.fetch(_ACCOUNTS, partitions))
            usage = {
                row["wallet"]: Usage(
                    day, row["day_amount"], row["day_count"],
                    month_of(day), row["month_amount"], row["month_count"],
                )
                for row in await connection.fetch(_USAGE, partitions, today, start)
            }  # fmt: skip
            for row in positions:
                low = max(row["projected_id"], transfer_id(row["partition"], 0))
                high = transfer_id(row["partition"] + 1, 0)
                tail = await connection.fetch(_TAIL, low, high)
                _replay_balances(tail, accounts)
                _replay_usage(tail, usage, day)
        return BookState(accounts, usage)

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Read accounts that were opened since the start; unknown ones are left out."""
        return _accounts(await self._pool.read(_SOME_ACCOUNTS, list(numbers)))

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Open what is not open yet; return the day on which each was opened. Idempotent."""
        return await PostgresUpkeep(self._pool).open_accounts(accounts, today)

    async def read_stored(self, keys: Mapping[bytes, int]) -> Mapping[bytes, StoredKey]:
        """Return what is stored under keys; given with the day inside each key."""
        if not keys:
            return {}
        days = [day_of(day) for day in set(keys.values())]
        found = await self._pool.read(_STORED, list(keys), days)
        by_key: dict[bytes, list[Transfer]] = {}
        for row in map(_transfer, found):
            by_key.setdefault(row.key, []).append(row)
        return {key: StoredKey.of(rows) for key, rows in by_key.items()}

    async def read_batches(
        self, partition: int, first: int, last: int, *, batches_max: int, rows_max: int
    ) -> Sequence[tuple[Batch, Sequence[Transfer]]]:
        """Return the first stored batches of a range, each with its rows; at least one."""
        async with self._upkeep.connection() as connection:
            found = [
                Batch(BatchHead(*row[:9]), row[9], row[10], 0, 0, -1)
                for row in await connection.fetch(_BATCHES, partition, first, last, batches_max)
            ]
            sums = list(accumulate(batch.head.rows for batch in found))
            found = found[: max(1, bisect_right(sums, rows_max))]
            ids = [number for b in found for number in (b.head.first_id, b.head.last_id) if number]
            rows = await connection.fetch(_BATCH_ROWS, min(ids), max(ids)) if ids else []
        by_id = {row["id"]: _transfer(row) for row in rows}
        return [
            (
                batch,
                [
                    by_id[number]
                    for number in range(batch.head.first_id, batch.head.last_id + 1)
                    if number in by_id
                ],
            )
            for batch in found
        ]

    async def post(
        self,
        batches: Sequence[Batch],
        rows: Sequence[Transfer],
        once: Sequence[OnceOnly],
        topic_id: str,
    ) -> None:
        """Write all in one statement behind the fence.

        Raises LeaseLost, KeyTaken, CommitUnknown.
        """
        heads = [
            (b.head.partition, b.head.no, b.head.epoch, b.head.incarnation, b.head.first_id,
             b.head.last_id, b.head.source_offset, b.head.rows, b.head.at_ms, b.previous_hash,
             b.hash, b.serial, b.day, b.acknowledged)
            for b in batches
        ]  # fmt: skip
        try:
            async with self._pool.connection(writes=True) as connection:
                with ledger_faults():
                    await connection.execute(
                        _POST,
                        *_turned(heads, 14),
                        topic_id,
                        self._lease_ms,
                        *_turned(rows, _WIDTH),
                        *_turned(once, 3),
                    )
        except CommitUnknown:
            # The answer was lost: only the owner rows know. If they cannot be read either, the
            # batch comes again and the fence tells.
            if not await self._was_posted(batches):
                raise

    async def _was_posted(self, batches: Sequence[Batch]) -> bool:
        """Whether a statement whose answer was lost is in the books."""
        mine = {batch.head.partition: batch.hash for batch in batches}
        found = await self._pool.read(_HEADS, list(mine))
        posted = [mine[row["partition"]] == row["head"] for row in found]
        if any(posted) and not all(posted):
            message = "a statement of several partitions is in the books in part"
            raise StoreUnavailable(message)
        return all(posted)


def _turned(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the form that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


def _transfer(row: asyncpg.Record) -> Transfer:
    return Transfer(*row)


def _accounts(rows: Iterable[asyncpg.Record]) -> dict[int, Account]:
    """Build accounts; equal terms are one object, since most accounts share theirs."""
    terms: dict[Terms, Terms] = {SHARD_TERMS: SHARD_TERMS}
    accounts = {}
    for number, balance, seq, floor, ceiling, valid_until, programme in rows:
        until = day_number(valid_until) if valid_until else None
        fresh = Terms(floor, ceiling, until, programme)
        accounts[number] = Account(balance, seq, terms.setdefault(fresh, fresh))
    return accounts


def _replay_balances(tail: Iterable[asyncpg.Record], accounts: dict[int, Account]) -> None:
    """Bring balances up to the last row: each row holds both balances after it."""
    for row in tail:
        source = accounts.get(row["debit"])
        target = accounts.get(row["credit"])
        accounts[row["debit"]] = Account(
            row["debit_after"], row["debit_seq"], source.terms if source else SHARD_TERMS
        )
        accounts[row["credit"]] = Account(
            row["credit_after"],
            target.seq if target else 0,
            target.terms if target else SHARD_TERMS,
        )


def _replay_usage(tail: Iterable[asyncpg.Record], usage: dict[int, Usage], day: int) -> None:
    """Bring the usage of limits up to the last row."""
    for row in tail:
        usage[row["wallet"]] = replay_usage(
            usage.get(row["wallet"], NO_USAGE),
            kind=row["kind"],
            leg=row["leg"],
            amount=row["amount"],
            booked_on=row["spent_on"],
            today=day,
        )
