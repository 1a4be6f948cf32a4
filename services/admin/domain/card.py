"""Cards as operators change them: which step leads from where to where, and its command."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from libs.contracts.lesko.v1.card_pb2 import (
    CARD_STATUS_ACTIVE,
    CARD_STATUS_BLOCKED,
    CARD_STATUS_CLOSED,
    CARD_STATUS_INACTIVE,
    CARD_STATUS_LOST,
    CARD_STATUS_STOLEN,
    CardCommand,
    CardStatus,
    SetCardStatus,
)
from services.admin.domain.act import Act
from services.admin.domain.command_answer import status_name
from services.admin.domain.refusal import Refusal, Refused

IMPORT: Final = "card.import"
SHOW: Final = "card.show"
TOKEN_BYTES: Final = 16
_ENTITY: Final = "card/"
_FILE: Final = "card-file/"


class Step(NamedTuple):
    """A change of status: into one, out of some only."""

    wanted: CardStatus
    out_of: tuple[CardStatus, ...]


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "issue": Step(CARD_STATUS_ACTIVE, (CARD_STATUS_INACTIVE,)),
        "block": Step(CARD_STATUS_BLOCKED, (CARD_STATUS_ACTIVE,)),
        "unblock": Step(CARD_STATUS_ACTIVE, (CARD_STATUS_BLOCKED,)),
        "lost": Step(
            CARD_STATUS_LOST, (CARD_STATUS_INACTIVE, CARD_STATUS_ACTIVE, CARD_STATUS_BLOCKED)
        ),
        "stolen": Step(
            CARD_STATUS_STOLEN, (CARD_STATUS_INACTIVE, CARD_STATUS_ACTIVE, CARD_STATUS_BLOCKED)
        ),
        "recover": Step(CARD_STATUS_ACTIVE, (CARD_STATUS_LOST, CARD_STATUS_STOLEN)),
        "close": Step(
            CARD_STATUS_CLOSED,
            (
                CARD_STATUS_INACTIVE,
                CARD_STATUS_ACTIVE,
                CARD_STATUS_BLOCKED,
                CARD_STATUS_LOST,
                CARD_STATUS_STOLEN,
            ),
        ),
    }
)


class Change(NamedTuple):
    """A step that an act asks for."""

    token: bytes
    step: Step
    product: str  # Of a card that is issued; else empty.


def card_entity(token: bytes) -> str:
    """Return the name of a card in acts, audit and outbox: its reference, never its number."""
    return f"{_ENTITY}{token.hex()}"


def file_entity(upload: bytes) -> str:
    """Return the name of an import; its parts are named behind a slash."""
    return f"{_FILE}{upload.hex()}"


def part_entity(upload: bytes, number: int) -> str:
    """Return the name of one part of an import."""
    return f"{file_entity(upload)}/{number:06d}"


def read_reference(text: str) -> bytes | None:
    """Return the token of a reference; None: it is none."""
    try:
        token = bytes.fromhex(text)
    except ValueError:
        return None
    return token if len(token) == TOKEN_BYTES and token.hex() == text else None


def read_change(act: Act) -> Change | Refused:
    """Read what an act asks for; refused where the card was in no state that allows it.

    ``was`` is the state in which the card was found; its last word has authorization.
    """
    token = read_reference(act.entity.removeprefix(_ENTITY))
    step = STEPS.get(act.action.partition(".")[2])
    if token is None or step is None:
        return Refused(Refusal.UNKNOWN)
    was = act.content.get("was")
    allowed = {status_name(status) for status in (*step.out_of, step.wanted)}
    if was is not None and was not in allowed:
        return Refused(Refusal.WRONG_STATE, f"The card is {was}.")
    product = act.content.get("product") if act.action == "card.issue" else ""
    return Change(token, step, product if isinstance(product, str) else "")


def status_command(command: bytes, change: Change) -> CardCommand:
    """Build the record that asks authorization for a step."""
    asked = SetCardStatus(token=change.token, status=change.step.wanted)
    getattr(asked, "from").extend(change.step.out_of)
    return CardCommand(command_id=command, set_status=asked)
