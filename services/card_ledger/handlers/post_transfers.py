"""Post a batch of commands: one look-up, one fold of pure decisions, one statement, answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from libs.bus.faults import LoopStopped, PartitionStopped
from libs.bus.port import Outgoing, Record
from libs.clock import Clock, business_day, day_number
from libs.contracts import topics
from libs.contracts.envelope import next_envelope
from libs.outcome import Fault, Outcome
from services.card_ledger.domain.answer import Answer
from services.card_ledger.domain.chain import BatchHead, chain_hash
from services.card_ledger.domain.command import (
    Command,
    Inquiry,
    MovementsAsked,
    OpenPurses,
    Resend,
    Reversal,
)
from services.card_ledger.domain.decision import Decision, decide, refuse
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.handlers.asked import (
    Asked,
    ByPartition,
    openings,
    questions,
    read_asked,
    resends,
)
from services.card_ledger.handlers.open_purses import open_purses
from services.card_ledger.handlers.records import CommandBroken, entries_record, write_answer
from services.card_ledger.handlers.resend_entries import resend_entries
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.ports import (
    Batch,
    BooksFork,
    Figures,
    KeyTaken,
    LeaseLost,
    LedgerStore,
    OnceOnly,
)

COLLISIONS_MAX = 5
"""A batch that still collides after its keys were read this often is given back to the loop."""

ROWS_MAX = 2_000
"""More rows of one partition than this do not fit one record of entries (512 KB)."""

Decide = Callable[[Command, StoredKey | None, Page], Decision]
Tell = Callable[[Sequence[Asked]], None]


class Folded(NamedTuple):
    """All that a batch decided; nothing of it is true before it is posted."""

    batches: list[Batch]
    rows: list[Transfer]
    rows_by_partition: list[list[Transfer]]
    once: list[OnceOnly]
    answers: list[tuple[Asked, Answer]]


class PostTransfers:
    """Answers each command once, whatever the topic redelivers."""

    def __init__(
        self,
        store: LedgerStore,
        tenure: Tenure,
        clock: Clock,
        zone: ZoneInfo,
        figures: Figures,
        tell: Tell = lambda _: None,
    ) -> None:
        """``tell`` hears who wants to know what moved, once their batch is committed."""
        self._figures = figures
        self._store = store
        self._tenure = tenure
        self._clock = clock
        self._zone = zone
        self._tell = tell

    async def __call__(self, records: Mapping[int, Sequence[Record]]) -> list[Outgoing]:
        """Decide, commit, and return answers and entries to publish.

        Raises TenureEnded (nothing written), a retriable Fault (give the batch again), or whatever
        a poisonous record causes (the loop halves the batch down to it).
        """
        return await self._post(records, self._decide)

    async def refuse_poison(self, record: Record, fault: str) -> list[Outgoing]:
        """Store 96 for a command that cannot be processed; a reversal is never given up.

        ``fault`` is the class name of what went wrong. Raises ReversalStuck, which stops the
        partition until a person has looked, and CommandBroken for a record that is no command.
        """
        command = read_asked(record).command
        if isinstance(command.body, Reversal):
            message = (
                f"a reversal at {record.topic}/{record.partition}@{record.offset} cannot be"
                f" booked ({fault}); its partition stands still until it can"
            )
            raise ReversalStuck(message)
        if isinstance(command.body, OpenPurses | MovementsAsked):
            raise CommandBroken(f"a command without a key that cannot be done ({fault})")
        return await self._post({record.partition: [record]}, self._refuse)

    async def _post(
        self, records: Mapping[int, Sequence[Record]], decide_one: Decide
    ) -> list[Outgoing]:
        asked = {n: [read_asked(r) for r in some] for n, some in records.items() if some}
        book = self._tenure.book
        wondering = questions(asked, book.partitions)
        await self._open_purses(asked)
        await self._fetch_accounts(asked)
        lookup = self._needs_lookup(asked)
        for _ in range(COLLISIONS_MAX):
            known = dict(await self._store.read_stored(lookup))
            try:
                folded = self._fold(asked, known, decide_one)
                await self._write(folded)
            except KeyTaken:
                # A repeat of what is stored: look up every key, then decide the batch again.
                lookup = {
                    one.command.reference.key: one.command.reference.key_day
                    for some in asked.values()
                    for one in some
                    if one.command.reference.key
                }
                continue
            finally:
                book.rollback()
            self._tell(wondering)
            missed = resends(asked)
            again = await resend_entries(self._store, missed) if missed else []
            return self._publishable(folded) + again
        raise KeysUnreadable("the keys of a batch collide with rows that cannot be read")

    async def _write(self, folded: Folded) -> None:
        """Commit and take over, or leave everything as it was. Raises TenureEnded."""
        began_ms = self._clock.monotonic_ms()
        try:
            await self._store.post(folded.batches, folded.rows, folded.once, self._tenure.topic_id)
        except LeaseLost as lost:
            self._figures.lost(len(lost.partitions))
            raise TenureEnded(str(lost)) from None
        except BooksFork as fork:
            raise HistoryDiffers(fork, [one.head.partition for one in folded.batches]) from None
        self._figures.posted(
            [answer for _, answer in folded.answers],
            rows=len(folded.rows),
            took_ms=self._clock.monotonic_ms() - began_ms,
        )
        self._tenure.book.commit()
        self._tenure.advance(folded.batches, {row.key for row in folded.rows})

    def _fold(
        self, asked: ByPartition, known: dict[bytes, StoredKey], decide_one: Decide
    ) -> Folded:
        now_ms = self._clock.now_ms()
        today = day_number(business_day(now_ms, self._zone))
        folded = Folded([], [], [], [], [])
        for partition in sorted(asked):
            standing = self._tenure.standings[partition]
            page = Page(
                partition=partition,
                serial=standing.serial,
                day=max(today, standing.day),
                now_ms=now_ms,
            )
            rows: list[Transfer] = []
            for one in asked[partition]:
                key = one.command.reference.key
                decision = decide_one(one.command, known.get(key), page)
                if decision.known is not None:
                    rows.extend(decision.rows)
                    known[key] = decision.known
                folded.answers.append((one, decision.answer))
            if len(rows) > ROWS_MAX:
                raise BatchTooLarge(f"{len(rows)} rows in partition {partition}")
            folded.rows.extend(rows)
            folded.rows_by_partition.append(rows)
            folded.batches.append(self._batch(page, rows, asked[partition][-1].offset))
        folded.once.extend(
            OnceOnly(row.ref, row.kind, row.id)
            for row in folded.rows
            if row.kind == TransferKind.REVERSAL
        )
        return folded

    def _batch(self, page: Page, rows: Sequence[Transfer], offset: int) -> Batch:
        standing = self._tenure.standings[page.partition]
        head = BatchHead(
            standing.incarnation,
            page.partition,
            standing.batch_no + 1,
            standing.epoch,
            rows[0].id if rows else 0,
            rows[-1].id if rows else 0,
            offset,
            len(rows),
            page.now_ms,
        )
        return Batch(
            head,
            standing.head,
            chain_hash(standing.head, head, rows),
            page.serial,
            page.day,
            self._tenure.acknowledged[page.partition],
        )

    def _decide(self, command: Command, known: StoredKey | None, page: Page) -> Decision:
        return decide(command, known, self._tenure.book, page)

    def _refuse(self, command: Command, known: StoredKey | None, page: Page) -> Decision:
        if known is not None or isinstance(command.body, Inquiry | Resend):
            return self._decide(command, known, page)  # Nothing is stored without a key.
        return refuse(command, Outcome.COULD_NOT_PROCESS, self._tenure.book, page)

    def _needs_lookup(self, asked: ByPartition) -> dict[bytes, int]:
        recent = self._tenure.recent
        return {
            one.command.reference.key: one.command.reference.key_day
            for some in asked.values()
            for one in some
            if one.command.needs_lookup or one.command.reference.key in recent
        }

    async def _open_purses(self, asked: ByPartition) -> None:
        wanted = openings(asked, self._tenure.book.partitions)
        if wanted:
            today = business_day(self._clock.now_ms(), self._zone)
            await open_purses(self._store, self._tenure.book, wanted, today)

    async def _fetch_accounts(self, asked: ByPartition) -> None:
        """Read purses that were opened since the tenure began."""
        book = self._tenure.book
        missing = {
            number
            for some in asked.values()
            for one in some
            for number in book.missing(one.command.accounts)
        }
        if missing:
            book.load(await self._store.read_accounts(sorted(missing)), {})

    def _publishable(self, folded: Folded) -> list[Outgoing]:
        """Return answers to the askers and one packed record of entries per batch."""
        outgoing = [
            Outgoing(
                one.envelope.answer_topic,
                one.envelope.answer_partition,
                one.envelope.correlation_id,
                write_answer(answer),
                next_envelope(one.envelope, schema=topics.LEDGER_ANSWER).SerializeToString(),
            )
            for one, answer in folded.answers
            if one.envelope.answer_topic and not isinstance(one.command.body, MovementsAsked)
        ]
        outgoing.extend(
            entries_record(batch, rows)
            for batch, rows in zip(folded.batches, folded.rows_by_partition, strict=True)
        )
        return outgoing


class KeysUnreadable(Fault):
    """Keys collide with rows that no look-up finds: halved down to the command that it is."""


class BatchTooLarge(Fault):
    """More rows than one record of entries holds; the loop gives the batch again in halves."""


class TenureEnded(LoopStopped):
    """Another process owns our partitions: forget everything and wait for the lease."""


class HistoryDiffers(TenureEnded):
    """The tables hold another history than we remember: forget everything and read them again."""

    def __init__(self, fork: BooksFork, partitions: Sequence[int]) -> None:
        super().__init__(str(fork))
        self.constraint = fork.constraint
        self.table = fork.table
        self.partitions = tuple(partitions)  # Of the statement; one of them is at fault.


class ReversalStuck(PartitionStopped):
    """A reversal cannot be booked; its partition stands still until a person has looked."""
