"""Show messages masked, with names and meanings; read the hex that people paste."""

import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from libs.iso8583 import Codec, Dialect, Message, describe, load_dialect
from services.cli.faults import CommandRefused
from services.cli.screen import write_table

DIALECTS = Path(__file__).resolve().parents[3] / "proto" / "iso8583"
LENGTH_BYTES = 2
MTI_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A message without what stood in front of it."""

    message: bytes
    had_length: bool
    tpdu: str  # Hex; empty when there was none.


def edc_dialect(name: str = "edc") -> Dialect:
    """Read a dialect by name; raises DialectBroken."""
    return load_dialect(DIALECTS / name)


def parse_hex(text: str) -> bytes:
    """Read hex as people paste it: blanks, line ends, colons and 0x are no matter."""
    digits = re.sub(r"0[xX]|[\s:,-]", "", text)
    try:
        return bytes.fromhex(digits)
    except ValueError as problem:
        sentence = "This is no hex: pairs of 0-9 and A-F are expected."
        raise CommandRefused(sentence) from problem


def strip_frame(data: bytes, dialect: Dialect) -> Captured:
    """Take off the length and the TPDU where they are there."""
    rules = dialect.transport.frame
    had_length = (
        len(data) > LENGTH_BYTES
        and int.from_bytes(data[:LENGTH_BYTES], "big") == len(data) - LENGTH_BYTES
    )
    rest = data[LENGTH_BYTES:] if had_length else data
    if rest[:1] == bytes([rules.tpdu_id]):
        return Captured(
            message=rest[rules.tpdu_bytes :],
            had_length=had_length,
            tpdu=rest[: rules.tpdu_bytes].hex(),
        )
    return Captured(message=rest, had_length=had_length, tpdu="")


def decode_hex(text: str, dialect: Dialect) -> tuple[Captured, Message]:
    """Decode pasted hex; raises CommandRefused or DecodeFault."""
    captured = strip_frame(parse_hex(text), dialect)
    return captured, Codec(dialect, reads_answers=True).decode(captured.message)


def show_message(console: Console, message: Message, dialect: Dialect, *, title: str) -> None:
    """Write one message as a table, card data masked."""
    rows = [
        ("MTI" if row.number == 0 else f"DE{row.number}", row.name, row.value, row.meaning)
        for row in describe(message, dialect)
    ]
    write_table(console, ("field", "name", "value", "meaning"), rows, title=title)


def message_json(message: Message, dialect: Dialect) -> dict[str, object]:
    """Return one message for a machine, card data masked."""
    return {
        "mti": message.mti,
        "fields": {
            str(row.number): {"name": row.name, "value": row.value, "meaning": row.meaning}
            for row in describe(message, dialect)
            if row.number
        },
        "misformed": sorted(message.misformed),
        "broken": message.broken,
    }
