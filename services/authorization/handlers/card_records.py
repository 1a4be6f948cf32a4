"""Records of commands about cards in, records of answers and openings out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from libs.bus.port import Outgoing, Record
from libs.contracts.envelope import next_envelope, read_envelope
from libs.contracts.keys import request_partition, wallet_partition
from libs.contracts.lesko.v1 import card_pb2 as wire
from libs.contracts.lesko.v1.card_ledger_pb2 import AccountTerms, LedgerCommand, OpenAccounts
from libs.contracts.topics import CARD_ANSWER, CARD_COMMAND, COMMANDS, LEDGER_COMMAND
from libs.outcome import Fault
from services.authorization.domain.card import CardStatus, own_account
from services.authorization.domain.card_command import (
    CardAnswer,
    CardCommand,
    CardFound,
    ImportCards,
    NewCard,
    SetStatus,
    ShowCard,
)
from services.authorization.handlers.records import TOKEN_BYTES

ID_BYTES: Final = 16
CARDS_MAX: Final = 2_000
"""In one record: it is one transaction, and purchases wait for its end."""
_SCHEMA: Final = CARD_COMMAND.encode()
_STATUSES: Final = {status.value + 1: status for status in CardStatus}  # 0 is unspecified there.


class CardCommandBroken(Fault):
    """A record that says it is a command about cards is none that can be carried out."""


def is_card_command(record: Record) -> bool:
    """Tell it from a request; most records are none, and for those this must cost nothing."""
    return _SCHEMA in record.envelope and read_envelope(record.envelope).schema == CARD_COMMAND


def read_card_command(record: Record, partitions: int) -> CardCommand:
    """Turn a record into a command of its partition; raises CardCommandBroken."""
    try:
        found = wire.CardCommand.FromString(record.value)
        body = _body(found)
    except (DecodeError, KeyError):
        raise CardCommandBroken("not a command about cards") from None
    if len(found.command_id) != ID_BYTES:
        raise CardCommandBroken("a command about cards without its id")
    tokens = [card.token for card in body.cards] if isinstance(body, ImportCards) else [body.token]
    if not 0 < len(tokens) <= CARDS_MAX:
        raise CardCommandBroken(f"a command about {len(tokens)} cards")
    for token in tokens:
        if len(token) != TOKEN_BYTES or request_partition(token, partitions) != record.partition:
            raise CardCommandBroken("a card that is not of this partition")
    return CardCommand(found.command_id, body)


def _body(found: wire.CardCommand) -> ImportCards | SetStatus | ShowCard:
    match found.WhichOneof("body"):
        case "import_cards":
            return ImportCards(tuple(_new_card(card) for card in found.import_cards.cards))
        case "set_status":
            asked = found.set_status
            out_of = frozenset(_STATUSES[number] for number in getattr(asked, "from"))
            return SetStatus(asked.token, _STATUSES[asked.status], out_of)
        case "show":
            return ShowCard(found.show.token)
        case _:
            raise CardCommandBroken("a command about cards that says nothing")


def _new_card(card: wire.NewCard) -> NewCard:
    return NewCard(
        card.token, card.sealed_pan, card.masked, card.product, card.expiry, card.ceiling_minor
    )


def write_card_answer(command_id: bytes, answer: CardAnswer) -> bytes:
    """Turn an answer into its record."""
    return wire.CardAnswer(
        command_id=command_id,
        result=wire.CardResult.Name(answer.result.value),
        card=None if answer.card is None else _shown(answer.card),
        created=answer.created,
        known=answer.known,
    ).SerializeToString()


def _shown(card: CardFound) -> wire.CardShown:
    return wire.CardShown(
        token=card.token,
        card=card.card_id,
        wallet=card.wallet,
        product=card.product,
        status=wire.CardStatus.Name(card.status.value + 1),
        expiry=card.expiry,
        masked=card.masked,
    )


def answer_record(record: Record, value: bytes) -> Iterator[Outgoing]:
    """Give the record that carries an answer to its asker; nothing where nobody waits."""
    cause = read_envelope(record.envelope)
    if cause.answer_topic:
        envelope = next_envelope(cause, schema=CARD_ANSWER).SerializeToString()
        yield Outgoing(
            cause.answer_topic, cause.answer_partition, cause.correlation_id, value, envelope
        )


def opening_records(
    record: Record, cards: Sequence[NewCard], wallets: Mapping[bytes, int], partitions: int
) -> Iterator[Outgoing]:
    """Give one command to each ledger partition that opens the own purses of wallets.

    The same command makes the same records. Nobody waits for an answer: purses are open before
    anything that comes behind them on their partition.
    """
    by_partition: dict[int, dict[int, AccountTerms]] = {}
    for card in cards:
        wallet = wallets[card.token]
        terms = AccountTerms(number=own_account(wallet), ceiling_minor=card.ceiling)
        by_partition.setdefault(wallet_partition(wallet, partitions), {})[wallet] = terms
    envelope = next_envelope(read_envelope(record.envelope), schema=LEDGER_COMMAND)
    envelope.answer_topic = ""
    header = envelope.SerializeToString()
    for partition, accounts in sorted(by_partition.items()):
        first = min(accounts)
        asked = OpenAccounts(accounts=accounts.values())
        value = LedgerCommand(wallet=first, open_accounts=asked).SerializeToString()
        yield Outgoing(COMMANDS, partition, first.to_bytes(8, "big"), value, header)
