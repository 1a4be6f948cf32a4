"""Verify the books: walk every partition's chain and compare it with all that is derived."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from libs.contracts.accounts import is_purse, partition_of
from services.card_ledger.domain.audit import (
    AccountRow,
    Auditor,
    Outside,
    OwnerRow,
    StoredBatch,
    UsageDiffers,
    usage_finding,
)
from services.card_ledger.domain.transfer import Transfer

USAGE_NAMED_MAX = 100
"""So many wallets and days with a wrong limit usage are named; the rest is a number."""


class Head(Protocol):
    """A head as it was published outside."""

    batch_no: int
    hash: str


class BooksReader(Protocol):
    """One snapshot of the books (store.audit.AuditReader)."""

    async def partitions(self) -> int:
        """Return how many partitions the books were made with."""

    async def outside(self, partitions: Sequence[int]) -> list[Outside]:
        """Return what stands under the numbers of none of these."""

    async def owners(self) -> list[OwnerRow]:
        """Return every partition's owner row."""

    def batches(self, partition: int):  # type: ignore[no-untyped-def] # noqa: ANN201 -- async iterator of (StoredBatch, rows)
        """Yield batches with their rows."""

    async def count(self, partition: int) -> int:
        """Return how many rows a partition has."""

    async def strays(self, partition: int) -> list[Transfer]:
        """Return rows that no batch names."""

    async def wrong_times(self, partition: int) -> list[int]:
        """Return rows whose time is not their batch's."""

    async def hash_of(self, partition: int, batch_no: int) -> bytes | None:
        """Return a batch's hash."""

    async def accounts(self, partition: int) -> list[AccountRow]:
        """Return a partition's accounts."""

    async def once(self, partition: int) -> set[tuple[int, int]]:
        """Return the once table's rows."""

    async def usage_differs(self, *, most: int) -> tuple[list[UsageDiffers], int]:
        """Return where limit_usage is not what the rows say, and how many there are."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found. ``findings`` empty: clean."""

    findings: list[str] = field(default_factory=list)
    partitions: int = 0
    batches: int = 0
    rows: int = 0
    accounts: int = 0
    total_minor: int = 0
    heads: dict[int, tuple[int, str]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything fits."""
        return not self.findings


async def verify_books(
    reader: BooksReader, published: Mapping[int, tuple[int, str]] | None = None
) -> Report:
    """Check chain, gaps, continuity, sum, once and projections of all partitions.

    ``published`` holds batch number and hash by partition as they were noted outside.
    """
    report, known = Report(), published or {}
    owners, partitions = await reader.owners(), await reader.partitions()
    there = {owner.partition for owner in owners}
    written = {number for number, head in known.items() if head[0]}
    report.findings.extend(_wrong_partitions(there, set(range(partitions)), written))
    report.findings.extend(
        f"{what} {number}: was inserted, its partition {partition} has no such number"
        for what, number, partition in await reader.outside(sorted(there))
    )
    for owner in owners:
        await _verify_partition(reader, owner, report, known.get(owner.partition), partitions)
    differs, total = await reader.usage_differs(most=USAGE_NAMED_MAX)
    report.findings.extend(map(usage_finding, differs))
    if total > len(differs):
        report.findings.append(f"limit usage is wrong on {total - len(differs)} more wallet days")
    if report.total_minor:
        report.findings.append(f"all accounts together hold {report.total_minor} sen, not 0")
    return report


async def _verify_partition(
    reader: BooksReader,
    owner: OwnerRow,
    report: Report,
    head: tuple[int, str] | None,
    partitions: int,
) -> None:
    number = owner.partition
    accounts = await reader.accounts(number)
    auditor = Auditor(owner, {a.number: a.floor for a in accounts if a.floor is not None})
    async for stored, rows in reader.batches(number):
        _feed(auditor, report, stored, rows)
    auditor.finish()
    if (count := await reader.count(number)) != auditor.rows:
        auditor.findings.append(f"partition {number}: has {count} rows, its batches {auditor.rows}")
        auditor.strays(await reader.strays(number))
    auditor.findings.extend(
        f"partition {number} row {row}: its time is not its batch's"
        for row in await reader.wrong_times(number)
    )
    if head is not None and head[0] > 0:
        auditor.known_head(head[0], bytes.fromhex(head[1]), await reader.hash_of(number, head[0]))
    once = await reader.once(number)
    auditor.findings.extend(
        f"row {ref}: reversed, but the once table does not know it"
        for ref, _ in sorted(auditor.reversals - once)
    )
    auditor.findings.extend(
        f"row {ref}: the once table says reversed, but no row does it"
        for ref, _ in sorted(once - auditor.reversals)
    )
    auditor.accounts(accounts)
    auditor.findings.extend(_misplaced(accounts, number, partitions))
    report.findings.extend(auditor.findings)
    report.partitions += 1
    report.accounts += len(accounts)
    report.total_minor += sum(auditor.balances.values())
    report.heads[number] = (owner.batch_no, owner.head.hex())


def _wrong_partitions(there: set[int], wanted: set[int], written: set[int]) -> Iterator[str]:
    """Name partitions that were taken out whole, or put in."""
    for number in sorted((wanted | written) - there):
        yield f"partition {number}: is not there any more"
    for number in sorted(there - wanted):
        yield f"partition {number}: the books were made without it"


def _misplaced(accounts: Sequence[AccountRow], partition: int, partitions: int) -> Iterator[str]:
    """Name accounts of another partition, and purses that may be overdrawn.

    ``partitions`` 0: their number was taken out, which every partition is named for already.
    """
    for account in accounts:
        if partitions and partition_of(account.number, partitions) != partition:
            yield f"account {account.number}: does not belong to partition {partition}"
        elif is_purse(account.number) and account.floor != 0:
            yield f"account {account.number}: its floor was changed, a purse's is 0"


def _feed(auditor: Auditor, report: Report, stored: StoredBatch, rows: "list[Transfer]") -> None:
    auditor.batch(stored, rows)
    report.batches += 1
    report.rows += len(rows)
