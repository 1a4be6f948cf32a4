"""Cards in memory, a card for tests, and requests as a bridge would send them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from libs.bus.port import Record
from libs.contracts.accounts import purse_account
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_PURCHASE,
    AuthorizeRequested,
    GoodsLine,
    Operation,
    Reference,
)
from libs.contracts.lesko.v1.card_pb2 import CardCommand
from libs.contracts.topics import (
    ADMIN_ANSWERS,
    AUTHORIZE_REQUESTED,
    BRIDGE_ANSWERS,
    CARD_COMMAND,
    REQUESTS,
)
from services.authorization.domain.card import Card, CardStatus, Purse, own_account, sort_purses
from services.authorization.domain.card_command import CardFound, NewCard

A_TOKEN = bytes(range(16))
A_KEY = b"\x51\x00" + bytes(range(14))
A_DAY = 20_781  # 2026-11-24.
A_MOMENT_MS = A_DAY * 86_400_000 + 3 * 3_600_000  # Noon in Jayapura.


class MemoryCards:
    """The card store without a database; ``reads`` holds the tokens of each call."""

    def __init__(self, cards: Mapping[bytes, Card] | None = None) -> None:
        self.cards = dict(cards or {})
        self.reads: list[Sequence[bytes]] = []

    async def read_cards(self, tokens: Sequence[bytes]) -> Mapping[bytes, Card]:
        """Return those that exist."""
        self.reads.append(tokens)
        return {token: self.cards[token] for token in tokens if token in self.cards}

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Return the next cards by id."""
        by_id = sorted(self.cards.items(), key=lambda item: item[1].card_id)
        return dict([item for item in by_id if item[1].card_id > card_id][:cards_max])


class MemoryCardDesk:
    """Where commands about cards are carried out, without a database; its own work and its store.

    ``trouble`` is raised once at the end of the next transaction: before the commit, or with
    ``is_committed`` after it, as when the answer of a COMMIT is lost.
    """

    def __init__(self, cards: Sequence[CardFound] = ()) -> None:
        self.cards = {card.token: card for card in cards}
        self.done: dict[bytes, bytes] = {}
        self.changes = 0
        self.trouble: Exception | None = None
        self.is_committed = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["MemoryCardDesk"]:
        """Open a transaction: all of it or nothing."""
        before = dict(self.cards), dict(self.done), self.changes
        try:
            yield self
            self._fail()
        except BaseException:
            if not self.is_committed:
                self.cards, self.done, self.changes = before
            raise

    def _fail(self) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble

    async def recall(self, command_id: bytes, *, now_ms: int) -> bytes | None:
        """Return the answer of a command that was carried out."""
        return self.done.get(command_id)

    async def remember(self, command_id: bytes, answer: bytes) -> None:
        """Keep an answer."""
        self.done[command_id] = answer

    async def find_card(self, token: bytes, *, is_changed: bool = False) -> CardFound | None:
        """Return a card."""
        return self.cards.get(token)

    async def set_status(self, card_id: int, status: CardStatus) -> None:
        """Write a status, and count it."""
        [card] = [card for card in self.cards.values() if card.card_id == card_id]
        self.cards[card.token] = card._replace(status=status)
        self.changes += 1

    async def add_cards(self, cards: Sequence[NewCard]) -> int:
        """Write new ones, numbered from 1."""
        before = len(self.cards)
        for card in cards:
            number = len(self.cards) + 1
            found = CardFound(
                card.token, number, number, card.product, CardStatus.INACTIVE, card.expiry,
                card.masked,
            )  # fmt: skip
            self.cards.setdefault(card.token, found)
        return len(self.cards) - before

    async def find_wallets(self, tokens: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return wallets."""
        return {token: self.cards[token].wallet for token in tokens}


def a_found_card(status: CardStatus = CardStatus.ACTIVE, *, token: bytes = A_TOKEN) -> CardFound:
    """Return a card as a command finds it."""
    return CardFound(token, 1_007, 7, "standard", status, "3012", "936009******0016")


def a_card_command(command: CardCommand | bytes, *, partition: int = 0, offset: int = 0) -> Record:
    """Return a command about cards as admin sends it; bytes are taken as they are."""
    envelope = first_envelope(
        schema=CARD_COMMAND, answer_topic=ADMIN_ANSWERS, answer_partition=2, deadline_ms=0
    )
    if isinstance(command, CardCommand):
        envelope.correlation_id = command.command_id
    value = command if isinstance(command, bytes) else command.SerializeToString()
    return Record(
        REQUESTS, partition, offset, A_TOKEN, value, envelope.SerializeToString(), A_MOMENT_MS
    )


def a_purse(
    wallet: int = 7, number: int = 1, *, programme: int = 1, valid_until: int = A_DAY
) -> Purse:
    """Return a restricted purse, by default on its last day."""
    return Purse(purse_account(wallet, number), programme, valid_until)


def a_card(
    *,
    wallet: int = 7,
    product: str = "standard",
    status: CardStatus = CardStatus.ACTIVE,
    expiry: str = "3012",
    pin_tries: int = 0,
    purses: Sequence[Purse] = (),
) -> Card:
    """Return a card that may buy."""
    return Card(
        card_id=1_000 + wallet,
        wallet=wallet,
        own_account=own_account(wallet),
        product=product,
        status=status,
        expiry=expiry,
        pin_tries=pin_tries,
        purses=sort_purses(purses),
    )


def a_request(
    operation: Operation = OPERATION_PURCHASE,
    *,
    amount: int = 50_000_00,
    token: bytes = A_TOKEN,
    key: bytes = A_KEY,
    outlet: str = "BUMA00000000001",
    terminal: str = "LSK00001",
    listener: str = "edc",
    goods: Sequence[tuple[int, int]] = (),
    expiry: str = "",
    pin_present: bool = False,
    refuse_new: int = 0,
    received_ms: int = A_MOMENT_MS,
) -> AuthorizeRequested:
    """Return a request that every rule lets pass."""
    return AuthorizeRequested(
        operation=operation,
        reference=Reference(
            key=key,
            key_day=A_DAY,
            card_token=token,
            processing_code=0,
            amount_minor=amount,
            currency=360,
            outlet=outlet,
            terminal=terminal,
            stan=1,
            listener=listener,
            received_ms=received_ms,
        ),
        goods=[GoodsLine(goods_class=number, amount_minor=part) for number, part in goods],
        expiry=expiry,
        pin_present=pin_present,
        refuse_new=refuse_new,
    )


def a_request_record(
    request: AuthorizeRequested | bytes, *, partition: int = 0, offset: int = 0
) -> Record:
    """Return a request as it lies on its topic; bytes are taken as they are."""
    envelope = first_envelope(
        schema=AUTHORIZE_REQUESTED,
        answer_topic=BRIDGE_ANSWERS,
        answer_partition=3,
        deadline_ms=A_MOMENT_MS + 8_000,
    )
    return Record(
        REQUESTS,
        partition,
        offset,
        A_TOKEN,
        request if isinstance(request, bytes) else request.SerializeToString(),
        envelope.SerializeToString(),
        A_MOMENT_MS,
    )
