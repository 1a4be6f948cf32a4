"""The messages that ``lesko iso send`` can make, field by field as edc.md lists them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from libs.iso8583 import FieldValue
from libs.money import IDR

TPDU = bytes.fromhex("6000010000")
NII = "001"
ENTRY_MODE_MANUAL = "012"
CONDITION_NORMAL = "00"
TENTHS_A_SECOND = 10


class Operation(StrEnum):
    """What can be sent."""

    PURCHASE = "purchase"
    INQUIRY = "inquiry"
    REVERSAL = "reversal"
    ECHO = "echo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One message as a person asks for it; amounts in minor units."""

    operation: Operation
    terminal: str
    outlet: str
    stan: int
    local: datetime  # Where the terminal stands.
    pan: str = ""
    amount_minor: int = 0
    date_mmdd: str = ""  # DE13; empty: today.
    expiry: str = ""
    goods: str = ""  # DE48 as it goes out.
    rrn: str = ""


def fresh_stan(local: datetime) -> int:
    """Return a number that this terminal has not used today: tenths of a second since midnight."""
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return max(1, seconds * TENTHS_A_SECOND + local.microsecond // 100_000)


def build_request(wish: Wish) -> tuple[str, dict[int, FieldValue]]:
    """Return the message type and its fields."""
    if wish.operation is Operation.ECHO:
        return "0800", {
            11: f"{wish.stan:06d}",
            24: NII,
            41: f"{wish.terminal:8}",
            70: "301",
        } | _sent_at(wish)
    kinds: Mapping[Operation, tuple[str, str]] = {
        Operation.PURCHASE: ("0200", "000000"),
        Operation.INQUIRY: ("0100", "310000"),
        Operation.REVERSAL: ("0400", "000000"),
    }
    mti, processing_code = kinds[wish.operation]
    fields: dict[int, FieldValue] = {
        2: wish.pan,
        3: processing_code,
        11: f"{wish.stan:06d}",
        12: f"{wish.local:%H%M%S}",
        13: wish.date_mmdd or f"{wish.local:%m%d}",
        22: ENTRY_MODE_MANUAL,
        24: NII,
        25: CONDITION_NORMAL,
        41: f"{wish.terminal:8}",
        42: f"{wish.outlet:15}",
        49: str(IDR),
    }
    return mti, fields | _sent_at(wish) | _optional(wish)


def _sent_at(wish: Wish) -> dict[int, FieldValue]:
    return {7: f"{wish.local.astimezone(UTC):%m%d%H%M%S}"}


def _optional(wish: Wish) -> dict[int, FieldValue]:
    fields: dict[int, FieldValue] = {}
    if wish.operation is not Operation.INQUIRY:
        fields[4] = f"{wish.amount_minor:012d}"
    if wish.expiry:
        fields[14] = wish.expiry
    if wish.rrn:
        fields[37] = wish.rrn
    if wish.goods and wish.operation is Operation.PURCHASE:
        fields[48] = wish.goods
    return fields
