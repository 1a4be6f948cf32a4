"""What a dialect says of its messages: which there are, what they carry, how they are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Kind(Enum):
    """What a message asks for."""

    PURCHASE = "purchase"
    INQUIRY = "inquiry"
    REVERSAL = "reversal"
    NETWORK = "network"
    UNKNOWN = "unknown"


class NetworkAction(Enum):
    """What a network management message asks for."""

    SIGN_ON = "sign_on"
    SIGN_OFF = "sign_off"
    ECHO = "echo"
    LOG_ON = "log_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCodes:
    """How DE3 and DE70 of a network message name an action."""

    processing: Mapping[str, NetworkAction]
    code: Mapping[str, NetworkAction]
    neither: NetworkAction


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """One column of the message table."""

    name: str
    kind: Kind
    mandatory: frozenset[int]
    one_of: frozenset[int]  # At least one of them; empty: no such demand.
    judged: frozenset[int]  # A misformed value here is a format error.
    echoed: frozenset[int]
    answered: Mapping[int, frozenset[str]]  # Set by us; the codes that carry it, empty: all.
    amount: Literal["positive", "any", "ignored"]
    currency: str  # Empty: not looked at.
    reads_goods: bool
    network: NetworkCodes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """All columns, and how a message finds its own."""

    version: str
    dropped_classes: frozenset[str]
    key: tuple[int, ...]
    content: tuple[int, ...]
    by_name: Mapping[str, MessageSpec]
    by_code: Mapping[tuple[str, str], MessageSpec]  # MTI and first two digits of DE3.
    by_mti: Mapping[str, MessageSpec]  # Columns that ask for no processing code.
    fallback: Mapping[str, MessageSpec]  # By MTI, for a processing code that nobody serves.
    otherwise: MessageSpec
