"""Open a batch of purses and book their opening balances, once however often it is asked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from libs.bus.port import Record
from libs.clock import Clock, day_number
from libs.contracts import topics
from libs.contracts.accounts import AccountKind, account_number, purse_account
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import business_key, wallet_partition
from libs.contracts.lesko.v1.authorization_pb2 import Reference
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, Posting, PostingLeg
from libs.money import IDR
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.handlers.post_transfers import PostTransfers
from services.card_ledger.ports import NewAccount

AT_ONCE = 2_000


class Opening(NamedTuple):
    """A purse to open with what it holds at first; minor units."""

    wallet: int
    purse: int  # 0: the own purse.
    programme: int  # 0: own money.
    ceiling: int | None
    valid_until: date | None
    amount: int


class AccountOpener(Protocol):
    """Opens accounts in the books (store.upkeep)."""

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Return the day on which each account was opened, now or earlier."""


class OpenAccounts:
    """The key of an opening is fixed by its account and the day on which that was opened."""

    def __init__(
        self, opener: AccountOpener, post: PostTransfers, clock: Clock, partitions: int
    ) -> None:
        self._opener = opener
        self._post = post
        self._clock = clock
        self._partitions = partitions

    async def __call__(self, openings: Sequence[Opening], today: date) -> None:
        """Open all accounts, then post the balances of those above zero. Idempotent."""
        rows = [
            NewAccount(
                purse_account(one.wallet, one.purse),
                wallet_partition(one.wallet, self._partitions),
                0,
                one.ceiling,
                one.valid_until,
                one.programme,
            )
            for one in openings
        ]
        opened = await self._opener.open_accounts(rows, today)
        records: dict[int, list[Record]] = {}
        for one in openings:
            if one.amount > 0:
                record = self._record(one, opened[purse_account(one.wallet, one.purse)])
                records.setdefault(record.partition, []).append(record)
        if records:
            await self._post(records)

    async def in_parts(
        self, openings: Sequence[Opening], today: date, progress: Callable[[int], None]
    ) -> None:
        """Open any number of accounts; ``progress`` hears how many are done."""
        for first in range(0, len(openings), AT_ONCE):
            await self(openings[first : first + AT_ONCE], today)
            progress(min(first + AT_ONCE, len(openings)))

    def _record(self, opening: Opening, opened_on: date) -> Record:
        account = purse_account(opening.wallet, opening.purse)
        partition = wallet_partition(opening.wallet, self._partitions)
        key = business_key(opened_on, "opening", str(account))
        command = LedgerCommand(
            reference=Reference(
                key=key,
                key_day=day_number(opened_on),
                card_token=bytes(16),
                amount_minor=opening.amount,
                currency=IDR,
            ),
            wallet=opening.wallet,
            accounts=[account],
            is_repeat=False,
            posting=Posting(
                kind=TransferKind.OPENING.value,
                legs=[
                    PostingLeg(
                        debit=account_number(AccountKind.FUNDING, 0, partition),
                        credit=account,
                        amount_minor=opening.amount,
                    )
                ],
            ),
        )
        envelope = first_envelope(
            schema=topics.LEDGER_COMMAND, answer_topic="", answer_partition=0, deadline_ms=0
        )
        return Record(
            topics.COMMANDS,
            partition,
            -1,
            key,
            command.SerializeToString(),
            envelope.SerializeToString(),
            self._clock.now_ms(),
        )
