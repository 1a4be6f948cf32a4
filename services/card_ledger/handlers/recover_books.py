"""Bring restored books up to the entries that were published: content and hash, batch by batch."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from google.protobuf.message import DecodeError

from libs.bus.port import Bus, Record
from libs.bus.read_to_end import read_to_end
from libs.clock import day_of
from libs.contracts.accounts import AccountKind, kind_of, partition_of
from libs.contracts.topics import COMMANDS, ENTRIES
from libs.outcome import Fault
from services.card_ledger.domain.command import AccountTerms, OpenPurses
from services.card_ledger.domain.recovery import Entry, Seam
from services.card_ledger.handlers.asked import read_asked
from services.card_ledger.handlers.begin_tenure import renewing
from services.card_ledger.handlers.hold_leases import LeaseHeld, hold_leases
from services.card_ledger.handlers.read_entries import read_entries
from services.card_ledger.handlers.records import CommandBroken
from services.card_ledger.ports import BooksFork, KeyTaken, Leases, NewAccount, OwnedPartition

WAITING_MAX = 5_000
"""So many batches may come before one that they follow; beyond that it is missing."""

AT_ONCE = 2_000
"""So many rows, or accounts, are one transaction."""

HELD_TRIES = 40
HELD_PAUSE_S = 0.25


class RecoveryRefused(Fault):
    """Entries do not fit the books; what fitted until then is in."""


class RecoveryStore(Protocol):
    """The books, as recovery writes them (store.recover)."""

    async def append(self, entries: Sequence[Entry], *, epoch: int, incarnation: int) -> None:
        """Put batches of one partition behind its last one, all or none."""

    async def hashes(self, partition: int, numbers: Sequence[int]) -> Mapping[int, bytes]:
        """Return the hashes of those batches that the books have."""

    async def open_among(self, numbers: Sequence[int]) -> set[int]:
        """Return which of these accounts are open."""

    async def raise_incarnation(self, partitions: Sequence[int], incarnation: int) -> None:
        """Give these partitions at least this incarnation."""


class Opener(Protocol):
    """Opens accounts in the books (store.upkeep)."""

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Open what is not open yet. Idempotent."""

    async def project(self, partitions: Sequence[int], *, rows_max: int) -> int:
        """Bring the projections up to the last row."""


class RecoveryStores(NamedTuple):
    """All that recovery needs of the database (store.recover)."""

    leases: Leases
    books: RecoveryStore
    upkeep: Opener
    lease_ms: int
    holder: str


class Recovered(NamedTuple):
    """What was brought back."""

    batches: int
    rows: int
    opened: int  # Purses whose opening was found on the topic of commands.
    without_terms: tuple[int, ...]  # Purses whose opening is nowhere: floor 0, no other bound.
    incarnation: int


class RecoverBooks:
    """Idempotent, and may be killed at any moment: the next run goes on where it ended."""

    def __init__(
        self,
        bus: Bus,
        store: RecoveryStore,
        opener: Opener,
        *,
        partitions: int,
        today: date,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``progress`` hears the number of batches brought back so far."""
        self._bus = bus
        self._store = store
        self._opener = opener
        self._partitions = partitions
        self._today = today
        self._progress = progress
        self._known: set[int] = set()
        self._without_terms: list[int] = []
        self._batches = 0
        self._rows = 0

    async def __call__(self, owned: Sequence[OwnedPartition]) -> Recovered:
        """Replay, then raise the incarnation. Raises RecoveryRefused, and what bus and store raise.

        ``owned``: all partitions, under a lease that is kept meanwhile.
        """
        opened = await self._open_asked(owned)
        incarnation = max(one.incarnation for one in owned)
        epochs = {one.partition: one.epoch for one in owned}
        seams = {
            one.partition: Seam(
                partition=one.partition, no=one.batch_no, head=one.head, waiting_max=WAITING_MAX
            )
            for one in owned
        }
        after = incarnation + 1
        bounds = await self._bus.bounds(ENTRIES)
        starts = {number: bounds[number][0] for number in seams if number in bounds}
        async for number, records in read_to_end(self._bus, ENTRIES, bounds, starts):
            seam, entries = seams[number], [read_entries(record) for record in records]
            await self._compare(seam, entries)
            ready = [following for entry in entries for following in seam.add(entry)]
            for some in _chunks(ready):
                after = max(after, *(entry.head.incarnation + 1 for entry in some))
                await self._append(some, epochs[number], after)
        if findings := [why for seam in seams.values() if (why := seam.finish())]:
            raise RecoveryRefused("; ".join(findings))
        if self._batches:
            incarnation = after
        await self._store.raise_incarnation(sorted(seams), incarnation)
        return Recovered(self._batches, self._rows, opened, tuple(self._without_terms), incarnation)

    async def _compare(self, seam: Seam, entries: Sequence[Entry]) -> None:
        """Refuse an entry of a batch that the books have as another one."""
        old = {entry.head.no: entry.hash for entry in entries if entry.head.no <= seam.no}
        if not old or seam.finding is not None:
            return
        stored = await self._store.hashes(seam.partition, list(old))
        for number, digest in sorted(old.items()):
            if stored.get(number) != digest:
                seam.finding = (
                    f"partition {seam.partition} batch {number} on the topic is another one than"
                    " in the books (a fork)"
                )
                return

    async def _append(self, entries: Sequence[Entry], epoch: int, incarnation: int) -> None:
        await self._open_named(entries)
        try:
            await self._store.append(entries, epoch=epoch, incarnation=incarnation)
        except (KeyTaken, BooksFork) as fork:
            first, last = entries[0].head, entries[-1].head
            raise RecoveryRefused(
                f"partition {first.partition} batches {first.no} to {last.no} contradict rows of"
                f" the books (a fork): {fork}"
            ) from None
        self._batches += len(entries)
        self._rows += sum(entry.head.rows for entry in entries)
        self._progress(self._batches)

    async def _open_named(self, entries: Sequence[Entry]) -> None:
        """No purse may come back without a floor: what is not open was opened after the backup."""
        named = {
            number
            for entry in entries
            for row in entry.rows
            for number in (row.debit, row.credit)
            if number and kind_of(number) is AccountKind.PURSE
        } - self._known
        if not named:
            return
        missing = sorted(named - await self._store.open_among(sorted(named)))
        if missing:
            bare = [AccountTerms(number, None, None, 0) for number in missing]
            await self._open(bare)
            self._without_terms.extend(missing)
        self._known |= named

    async def _open_asked(self, owned: Sequence[OwnedPartition]) -> int:
        """Open the purses that commands asked for after the backup; return how many were named."""
        topic = await self._bus.topic(COMMANDS)
        bounds = await self._bus.bounds(COMMANDS)
        starts = {
            one.partition: max(
                bounds[one.partition][0],
                one.source_offset + 1 if one.topic_id == topic.id else 0,
            )
            for one in owned
            if one.partition in bounds
        }
        found: dict[int, AccountTerms] = {}
        async for _, records in read_to_end(self._bus, COMMANDS, bounds, starts):
            for terms in _openings(records):
                found.setdefault(terms.number, terms)
        closed = set(found) - await self._store.open_among(sorted(found)) if found else set()
        await self._open([found[number] for number in sorted(closed)])
        return len(closed)

    async def _open(self, asked: Sequence[AccountTerms]) -> None:
        rows = [
            NewAccount(
                terms.number,
                partition_of(terms.number, self._partitions),
                0,
                terms.ceiling,
                None if terms.valid_until is None else day_of(terms.valid_until),
                terms.programme,
            )
            for terms in asked
        ]
        for first in range(0, len(rows), AT_ONCE):
            await self._opener.open_accounts(rows[first : first + AT_ONCE], self._today)


async def recover_restored(
    stores: RecoveryStores, bus: Bus | None, today: date, progress: Callable[[int], None]
) -> Recovered:
    """Hold all leases, recover, and bring the projections up to date; see RecoverBooks.

    Without a bus nothing is replayed, but the books are another incarnation from now on. Raises
    LeaseHeld while a ledger serves. One that waits for this very work looks now and then.
    """
    for attempt in range(1, HELD_TRIES + 1):
        try:
            async with hold_leases(stores.leases, stores.holder, purpose="recover") as owned:
                return await _recover_held(stores, bus, today, progress, owned)
        except LeaseHeld:
            if attempt == HELD_TRIES:
                raise
        await asyncio.sleep(HELD_PAUSE_S)
    raise AssertionError


async def _recover_held(
    stores: RecoveryStores,
    bus: Bus | None,
    today: date,
    progress: Callable[[int], None],
    owned: Sequence[OwnedPartition],
) -> Recovered:
    epochs = {one.partition: one.epoch for one in owned}
    if bus is None:
        incarnation = max((one.incarnation for one in owned), default=0) + 1
        await stores.books.raise_incarnation(sorted(epochs), incarnation)
        return Recovered(0, 0, 0, (), incarnation)
    recover = RecoverBooks(
        bus, stores.books, stores.upkeep, partitions=len(owned), today=today, progress=progress
    )
    every_ms = stores.lease_ms // 4
    done = await renewing(stores.leases, epochs, recover(owned), every_ms=every_ms)
    projecting = stores.upkeep.project(sorted(epochs), rows_max=AT_ONCE)
    await renewing(stores.leases, epochs, projecting, every_ms=every_ms)
    return done


def _openings(records: Iterable[Record]) -> Iterable[AccountTerms]:
    for record in records:
        try:
            body = read_asked(record).command.body
        except (CommandBroken, DecodeError):
            continue  # The ledger has set it aside.
        if isinstance(body, OpenPurses):
            yield from body.accounts


def _chunks(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    """Cut into transactions of at most so many rows, at least one batch each."""
    chunk: list[Entry] = []
    rows = 0
    for entry in entries:
        if chunk and rows + entry.head.rows > AT_ONCE:
            yield chunk
            chunk, rows = [], 0
        chunk.append(entry)
        rows += entry.head.rows
    if chunk:
        yield chunk
