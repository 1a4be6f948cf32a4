"""What became of a command, as people and programs read it."""

from typing import Final

from google.protobuf.message import DecodeError

from libs.contracts.accounts import sub_of
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.contracts.lesko.v1.card_pb2 import CardAnswer, CardResult, CardShown, CardStatus
from libs.contracts.topics import CARD_COMMAND
from libs.outcome import Outcome
from services.admin.domain.act import Json

_RESULTS: Final = {
    CardResult.CARD_RESULT_DONE: "done",
    CardResult.CARD_RESULT_UNKNOWN_CARD: "unknown_card",
    CardResult.CARD_RESULT_WRONG_STATUS: "wrong_status",
}
FAILED: Final = "failed"


def show_answer(schema: str, answer: bytes) -> dict[str, Json]:
    """Return the answer to a command of this schema; what cannot be read has failed."""
    try:
        if schema == CARD_COMMAND:
            return show_card_answer(CardAnswer.FromString(answer))
        return _show_ledger_answer(LedgerAnswer.FromString(answer))
    except (DecodeError, KeyError):
        return {"result": FAILED}


def show_card_answer(answer: CardAnswer) -> dict[str, Json]:
    """Return what authorization said."""
    return {
        "result": _RESULTS.get(answer.result, FAILED),
        "card": show_card(answer.card) if answer.HasField("card") else None,
        "created": answer.created,
        "known": answer.known,
    }


def show_card(card: CardShown) -> dict[str, Json]:
    """Return a card as people may see it."""
    return {
        "reference": card.token.hex(),
        "card": card.card,
        "masked": card.masked,
        "status": status_name(card.status),
        "product": card.product,
        "expiry": card.expiry,
        "wallet": card.wallet,
    }


def status_name(status: CardStatus) -> str:
    """Return the word for a status of the records."""
    return CardStatus.Name(status).removeprefix("CARD_STATUS_").lower()


def _show_ledger_answer(answer: LedgerAnswer) -> dict[str, Json]:
    outcome = Outcome.of(answer.outcome)
    return {
        "result": "done" if outcome is Outcome.APPROVED else "refused",
        "outcome": outcome.name.lower(),
        "transfer": answer.transfer,
        "is_replay": answer.is_replay,
        "balances": [
            {
                "purse": sub_of(one.account),
                "programme": one.programme,
                "amount_minor": one.amount_minor,
            }
            for one in answer.balances
        ],
    }
