"""Builders and a small bench for the ledger: commands, accounts, and a handler on memory books."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from libs.bus.port import Outgoing, Record
from libs.clock import day_number
from libs.contracts import topics
from libs.contracts.accounts import adjustment_account, outlet_account, purse_account
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import business_key
from libs.contracts.lesko.v1.authorization_pb2 import Reference
from libs.contracts.lesko.v1.card_ledger_pb2 import (
    AccountTerms,
    DebitLine,
    Inquiry,
    LedgerAnswer,
    LedgerCommand,
    LedgerEntries,
    Limits,
    MovementsAsked,
    OpenAccounts,
    Posting,
    PostingLeg,
    Purchase,
    Reversal,
    WalletMovements,
)
from libs.fakes.clock import FixedClock
from libs.fakes.memory_books import MemoryBooks
from libs.observe import Metrics
from services.card_ledger.adapters.figures import MetricsFigures
from services.card_ledger.domain.book import Account, Book, Terms
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.transfer import partition_of_id, serial_of
from services.card_ledger.handlers.post_transfers import PostTransfers
from services.card_ledger.handlers.tell_movements import TellMovements
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.ports import OwnedPartition

ZONE = ZoneInfo("Asia/Jayapura")
TODAY = date(2026, 11, 24)
PARTITIONS = 4


def an_account(
    balance: int = 100_000_00,
    *,
    valid_until: date | None = None,
    programme: int = 0,
    ceiling: int | None = None,
) -> Account:
    """Build a purse with a floor of zero."""
    until = day_number(valid_until) if valid_until else None
    return Account(balance, 0, Terms(0, ceiling, until, programme))


def a_reference(
    *,
    stan: int = 1,
    amount: int = 10_00,
    wallet: int = 1,
    day: date = TODAY,
    outlet: str = "BUMA00000000001",
    terminal: str = "LSK00001",
    rrn_sent: str = "",
    processing_code: int = 0,
) -> Reference:
    """Build the reference of a money message; the card's token follows from the wallet."""
    return Reference(
        key=business_key(day, terminal, f"{stan:06d}"),
        key_day=day_number(day),
        card_token=wallet.to_bytes(16, "big"),
        processing_code=processing_code,
        amount_minor=amount,
        currency=360,
        outlet=outlet,
        terminal=terminal,
        stan=stan,
        rrn_sent=rrn_sent,
    )


def a_purchase(
    reference: Reference,
    *,
    wallet: int = 1,
    lines: Sequence[tuple[int, int, Sequence[int]]] = (),
    limits: Limits | None = None,
    verdict: int = 0,
    refuse_new: int = 0,
) -> LedgerCommand:
    """Build a purchase; without lines the own purse pays all. Lines: class, amount, purses."""
    rows = lines or ((0, reference.amount_minor, (0,)),)
    purses = sorted({purse for _, _, some in rows for purse in some})
    return LedgerCommand(
        reference=reference,
        wallet=wallet,
        card=wallet,
        accounts=[purse_account(wallet, purse) for purse in purses],
        purchase=Purchase(
            lines=[
                DebitLine(
                    goods_class=goods_class,
                    amount_minor=amount,
                    purses=[purse_account(wallet, purse) for purse in some],
                )
                for goods_class, amount, some in rows
            ],
            credit=outlet_account(1, wallet % PARTITIONS),
            limits=limits or Limits(),
        ),
        verdict=verdict,
        refuse_new=refuse_new,
    )


def a_reversal(reference: Reference, *, wallet: int = 1) -> LedgerCommand:
    """Build a reversal of the purchase with this reference."""
    return LedgerCommand(
        reference=reference,
        wallet=wallet,
        card=wallet,
        accounts=[purse_account(wallet)],
        reversal=Reversal(),
    )


def an_inquiry(*, wallet: int = 1) -> LedgerCommand:
    """Build a balance inquiry."""
    reference = a_reference(wallet=wallet)
    reference.key = b""
    return LedgerCommand(
        reference=reference,
        wallet=wallet,
        card=wallet,
        accounts=[purse_account(wallet)],
        inquiry=Inquiry(),
    )


def an_adjustment(
    amount: int, *, stan: int = 1, wallet: int = 1, purse: int = 0, day: date = TODAY
) -> LedgerCommand:
    """Build a manual adjustment: a positive amount is credited, a negative one debited."""
    account, other = purse_account(wallet, purse), adjustment_account(wallet % PARTITIONS)
    debit, credit = (other, account) if amount > 0 else (account, other)
    reference = a_reference(amount=abs(amount), wallet=wallet)
    reference.key = business_key(day, "adjustment", f"{stan:032x}")
    reference.key_day = day_number(day)
    return LedgerCommand(
        reference=reference,
        wallet=wallet,
        accounts=[account],
        posting=Posting(
            kind=TransferKind.ADJUSTMENT.value,
            legs=[PostingLeg(debit=debit, credit=credit, amount_minor=abs(amount))],
        ),
    )


def an_opening(*accounts: AccountTerms, wallet: int = 1) -> LedgerCommand:
    """Build a command that opens purses."""
    return LedgerCommand(wallet=wallet, open_accounts=OpenAccounts(accounts=accounts))


def a_question(
    *,
    wallet: int = 1,
    first: date = TODAY,
    last: date = TODAY,
    after: int = 0,
    rows_max: int = 0,
) -> LedgerCommand:
    """Build a question for what moved in a wallet."""
    return LedgerCommand(
        wallet=wallet,
        movements=MovementsAsked(
            first_day=day_number(first), last_day=day_number(last), after=after, rows_max=rows_max
        ),
    )


class Heard:
    """A publisher that keeps what it was given."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Keep the records."""
        self.records.extend(records)


class Counter:
    """Posts commands through a handler; answers come back in the order of the commands."""

    def __init__(self, handler: PostTransfers, clock: FixedClock, partitions: int) -> None:
        self.handler = handler
        self.clock = clock
        self.entries: list[LedgerEntries] = []
        self._partitions = partitions
        self._offset = -1

    def records(
        self, commands: Sequence[LedgerCommand], deadline_ms: int = 0
    ) -> tuple[dict[int, list[Record]], list[bytes]]:
        """Turn commands into what the topic would give, and name their correlations."""
        records: dict[int, list[Record]] = {}
        asked = []
        for command in commands:
            partition = command.wallet % self._partitions
            envelope = first_envelope(
                schema=topics.LEDGER_COMMAND,
                answer_topic="test.answers.v1",
                answer_partition=0,
                deadline_ms=deadline_ms,
            )
            asked.append(envelope.correlation_id)
            self._offset += 1
            records.setdefault(partition, []).append(
                Record(
                    topics.COMMANDS,
                    partition,
                    self._offset,
                    b"",
                    command.SerializeToString(),
                    envelope.SerializeToString(),
                    self.clock.now_ms(),
                )
            )
        return records, asked

    async def post(self, *commands: LedgerCommand, deadline_ms: int = 0) -> list[LedgerAnswer]:
        """Post some commands as one batch; answers in the order of the commands."""
        records, asked = self.records(commands, deadline_ms)
        answers = {}
        for out in await self.handler(records):
            if out.topic == topics.ENTRIES:
                self.entries.append(LedgerEntries.FromString(out.value))
            else:
                answers[out.key] = LedgerAnswer.FromString(out.value)
        return [answers[correlation] for correlation in asked]


class LedgerBench(Counter):
    """The posting handler on memory books."""

    def __init__(self, accounts: dict[int, Account], *, now_ms: int) -> None:
        self.books = MemoryBooks(accounts)
        self.heard = Heard()
        self.tell = TellMovements(self.books, self.heard, send_timeout_ms=1_000)
        clock = FixedClock(now_ms)
        super().__init__(self._begin(accounts, 1, clock), clock, PARTITIONS)

    def take_over(self, accounts: dict[int, Account], *, epoch: int) -> None:
        """Begin a new tenure from the books' heads."""
        self.handler = self._begin(accounts, epoch, self.clock)

    async def ask(self, question: LedgerCommand) -> WalletMovements:
        """Post a question and return what is told once its batch is committed."""
        records, _ = self.records([question])
        await self.handler(records)
        await self.tell.answer_next()
        return WalletMovements.FromString(self.heard.records[-1].value)

    def balance(self, wallet: int, purse: int = 0) -> int:
        """Return a purse's committed balance in minor units."""
        account = self.tenure.book.account(purse_account(wallet, purse))
        return account.balance if account else 0

    def total(self) -> int:
        """Return the sum of all movements over all accounts."""
        moved: dict[int, int] = {}
        for row in self.books.rows:
            if row.debit_seq:
                moved[row.debit] = moved.get(row.debit, 0) - row.amount
                moved[row.credit] = moved.get(row.credit, 0) + row.amount
        return sum(moved.values())

    def _begin(self, accounts: dict[int, Account], epoch: int, clock: FixedClock) -> PostTransfers:
        owned = []
        for number in range(PARTITIONS):
            self.books.own(number, epoch)
            _, no, head = self.books.heads[number]
            mine = [serial_of(r.id) for r in self.books.rows if partition_of_id(r.id) == number]
            owned.append(
                OwnedPartition(number, epoch, 1, no, max(mine, default=0), head, 0, "t", -1, 0)
            )
        book = Book(PARTITIONS)
        book.load(accounts, {})
        self.tenure = Tenure.begin(owned, book, "t", day=0)
        self.metrics = Metrics()
        figures = MetricsFigures(self.metrics)
        return PostTransfers(self.books, self.tenure, clock, ZONE, figures, self.tell.ask)
