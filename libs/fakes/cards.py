"""Cards in memory, a card for tests, and requests as a bridge would send them."""

from collections.abc import Mapping, Sequence

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
from libs.contracts.topics import AUTHORIZE_REQUESTED, BRIDGE_ANSWERS, REQUESTS
from services.authorization.domain.card import Card, CardStatus, Purse, own_account, sort_purses

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
