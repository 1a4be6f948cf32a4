"""Golden frames of a dialect: bytes made by another maker's tool, and what they mean."""

import json
from dataclasses import dataclass
from pathlib import Path

from libs.iso8583.dialect import Dialect
from libs.iso8583.faults import DialectBroken
from libs.iso8583.pyiso8583_codec import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFrame:
    """One line of ``golden/*.jsonl``."""

    name: str
    tpdu: bytes
    frame: bytes  # With length and TPDU.
    mti: str
    fields: dict[int, Plain]
    is_canonical: bool  # False: we read it so, and would write it otherwise (filling F).


def read_golden(directory: Path, dialect: Dialect) -> list[GoldenFrame]:
    """Read all golden frames of a dialect's directory, in the order of their files."""
    found = []
    for path in sorted((directory / "golden").glob("*.jsonl")):
        for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(_frame(json.loads(line), dialect))
            except (ValueError, KeyError, TypeError) as error:
                reason = type(error).__name__
                raise DialectBroken(f"{path}:{place}: is no golden frame ({reason})") from None
    return found


def _frame(line: dict[str, object], dialect: Dialect) -> GoldenFrame:
    fields = line["fields"]
    if not isinstance(fields, dict):
        raise TypeError
    return GoldenFrame(
        name=str(line["name"]),
        tpdu=bytes.fromhex(str(line["tpdu"])),
        frame=bytes.fromhex(str(line["frame"])),
        mti=str(line["mti"]),
        fields={
            int(number): bytes.fromhex(value)
            if dialect.fields[int(number)].cls == "b"
            else str(value)
            for number, value in fields.items()
        },
        is_canonical=bool(line.get("canonical", True)),
    )
