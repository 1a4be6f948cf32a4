"""What must hold, at every answer and at the end (DESIGN 2); each broken one is a sentence."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from libs.clock import nearest_date
from libs.contracts.envelope import read_envelope
from libs.contracts.keys import business_key
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerEntries
from libs.contracts.topics import BRIDGE_ANSWERS, COMMANDS, ENTRIES, REQUESTS
from libs.outcome import Outcome
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.transfer import Transfer, partition_of_id
from tests.simulation.broker import Broker
from tests.simulation.database import Database
from tests.simulation.terminals import APPROVED, Belief, Fields, Operation

ZONE = ZoneInfo("Asia/Jayapura")


def key_of(operation: Operation, today: date) -> bytes:
    """Return the business key of a terminal's purchase."""
    day = nearest_date(int(operation.date[:2]), int(operation.date[2:]), today)
    assert day is not None
    return business_key(day, operation.terminal, f"{operation.stan:06d}")


class Watcher:
    """Looks at every answer in the moment in which it leaves the edge.

    An approval behind the answer to its reversal is a mistake where the same edge said both. Where
    two edges did, nobody could know, and the terminal is past listening to either.
    """

    def __init__(self, database: Database, today: date) -> None:
        self._database = database
        self._today = today
        self._reversed: set[tuple[str, int, str]] = set()
        self.problems: list[str] = []
        self.heard: dict[str, int] = defaultdict(int)

    def __call__(self, operation: Operation, edge: str, mti: str, fields: Fields) -> None:
        """See that the answer is one of a committed row, and not behind its reversal."""
        self.heard[f"{mti} {fields[39]}"] += 1
        place = operation.terminal, operation.stan, edge
        if mti.startswith("041") and fields[39] == APPROVED:
            self._reversed.add(place)
        if not mti.startswith("021") or fields[39] != APPROVED:
            return
        rows = rows_of(self._database.books.rows, key_of(operation, self._today))
        if not any(is_paid(row) for row in rows):
            self.problems.append(f"{place}: an approval left the edge before its row was there")
        if place in self._reversed:
            self.problems.append(f"{place}: an approval left the edge after its reversal's answer")


def rows_of(rows: Sequence[Transfer], key: bytes) -> list[Transfer]:
    """Return the rows under a key."""
    return [row for row in rows if row.key == key]


def is_paid(row: Transfer) -> bool:
    """Whether a row is a purchase that moved money."""
    return row.kind == TransferKind.PURCHASE and row.outcome == 1 and row.debit_seq > 0


def net_of(rows: Sequence[Transfer]) -> int:
    """Return what a key took from its wallet in the end; minor units."""
    paid = sum(row.amount for row in rows if is_paid(row))
    back = sum(row.amount for row in rows if row.kind == TransferKind.REVERSAL and row.debit_seq)
    return paid - back


def beliefs(
    operations: Sequence[Operation], database: Database, today: date, others: Collection[bytes]
) -> Iterator[str]:
    """Compare what terminals believe with the books; ``others`` are keys that are not theirs."""
    by_key: dict[bytes, list[Transfer]] = defaultdict(list)
    for row in database.books.rows:
        by_key[row.key].append(row)
    for operation in operations:
        place = f"{operation.terminal} {operation.stan:06d}"
        yield from (f"{place}: {complaint}" for complaint in operation.complaints)
        rows = by_key.pop(key_of(operation, today), [])
        net = net_of(rows)
        expected = operation.amount_minor if operation.belief is Belief.APPROVED else 0
        if operation.belief in {Belief.OPEN, Belief.REVERSING}:
            yield f"{place}: was not brought to its end ({operation.belief})"
        elif net != expected:
            yield f"{place}: {operation.belief}, but the books say {net}"
        elif operation.belief is Belief.REFUSED:
            codes = {Outcome.of(row.outcome).value.de39 for row in rows}
            if codes - {operation.code}:
                yield f"{place}: heard {operation.code}, stored {sorted(codes)}"
    if by_key.keys() - others:
        yield f"{len(by_key.keys() - others)} keys in the books that no terminal used"


def balances(database: Database) -> Iterator[str]:
    """Recompute every account from its rows: no floor is broken, nothing is made or lost."""
    held = {number: account.balance for number, account in database.opening.items()}
    began, seqs = sum(held.values()), dict.fromkeys(held, 0)
    for row in sorted(database.books.rows, key=lambda each: each.id):
        if not row.debit_seq:
            continue
        held[row.debit] = held.get(row.debit, 0) - row.amount
        held[row.credit] = held.get(row.credit, 0) + row.amount
        seqs[row.debit] = seqs.get(row.debit, 0) + 1
        if (held[row.debit], held[row.credit]) != (row.debit_after, row.credit_after):
            yield f"row {row.id}: its balances are not what its account had"
        if seqs[row.debit] != row.debit_seq:
            yield f"row {row.id}: debit number {row.debit_seq} where {seqs[row.debit]} was due"
        account = database.opening.get(row.debit)
        floor = None if account is None else account.terms.floor
        if floor is not None and held[row.debit] < floor:
            yield f"row {row.id}: below the floor"
    if sum(held.values()) != began:
        yield "money was made or lost"


def batches(database: Database) -> Iterator[str]:
    """Walk each partition's batches: numbers without a gap, each on the hash of the one before."""
    heads: dict[int, tuple[int, bytes]] = {}
    for batch in database.books.batches:
        no, previous = heads.get(batch.head.partition, (0, bytes(32)))
        if (batch.head.no, batch.previous_hash) != (no + 1, previous):
            yield f"partition {batch.head.partition}: batch {batch.head.no} behind {no}"
        heads[batch.head.partition] = batch.head.no, batch.hash


def days(database: Database) -> Iterator[str]:
    """See that the booking day never goes back in a partition."""
    latest: dict[int, int] = defaultdict(int)
    for row in sorted(database.books.rows, key=lambda each: each.id):
        partition = partition_of_id(row.id)
        if row.booked_on < latest[partition]:
            yield f"row {row.id}: its booking day lies before that of the row before"
        latest[partition] = max(latest[partition], row.booked_on)


def handed_on(broker: Broker, others: set[bytes]) -> Iterator[str]:
    """See that no step lost a message: each request became a command, each command was answered.

    ``others`` are conversations of operators; theirs end elsewhere.

    Holds where no log lost anything: then nobody but us could lose it.
    """
    requests, commands, answers = (
        _conversations(broker, topic) for topic in (REQUESTS, COMMANDS, BRIDGE_ANSWERS)
    )
    requests -= others
    if lost := requests - commands:
        yield f"{len(lost)} requests never became a command"
    if lost := (commands & requests) - answers:
        yield f"{len(lost)} commands were never answered"


def _conversations(broker: Broker, topic: str) -> set[bytes]:
    found = {
        read_envelope(record.envelope).correlation_id
        for log in broker.topics[topic].logs
        for record in log.records
    }
    return found - {b""}  # Poison belongs to no conversation.


def missing_entries(broker: Broker, database: Database) -> Mapping[int, tuple[int, int]]:
    """Return the first and last number of batches that the topic lacks, by partition."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for batch in database.books.batches:
        wanted[batch.head.partition].add(batch.head.no)
    for log in broker.topics[ENTRIES].logs:
        for record in log.records:
            entries = LedgerEntries.FromString(record.value)
            wanted[entries.partition].discard(entries.batch_no)
    return {number: (min(some), max(some)) for number, some in wanted.items() if some}


def entries(broker: Broker, database: Database) -> Iterator[str]:
    """See that each published batch is the stored one, and that none lacks."""
    hashes = {(b.head.partition, b.head.no): b.hash for b in database.books.batches}
    for log in broker.topics[ENTRIES].logs:
        for record in log.records:
            found = LedgerEntries.FromString(record.value)
            if hashes.get((found.partition, found.batch_no)) != found.hash:
                yield f"entries of partition {found.partition}: another batch {found.batch_no}"
    for number, (first, last) in missing_entries(broker, database).items():
        yield f"entries of partition {number} lack batches between {first} and {last}"


def limits(database: Database, *, day_count: int) -> Iterator[str]:
    """See that no wallet bought more often in a day than its product lets it."""
    spent: dict[tuple[int, int], int] = defaultdict(int)
    by_key: dict[bytes, list[Transfer]] = defaultdict(list)
    for row in database.books.rows:
        by_key[row.key].append(row)
    for rows in by_key.values():
        paid = [row for row in rows if is_paid(row)]
        if paid and net_of(rows):
            spent[paid[0].wallet, paid[0].booked_on] += 1
    for (wallet, day), count in spent.items():
        if count > day_count:
            yield f"wallet {wallet} bought {count} times on day {day}"
