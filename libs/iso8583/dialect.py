"""A dialect: everything that makes one kind of ISO 8583 partner different from another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from libs.iso8583.dialect_files import (
    CodingTable,
    FieldRow,
    FieldsFile,
    Files,
    ResponseCodesFile,
    TransportFile,
    read_files,
)
from libs.iso8583.faults import DialectBroken
from libs.iso8583.field import THIRD_BITMAP, Coding, Field, Unit
from libs.iso8583.message_spec import Messages
from libs.iso8583.message_table import build_messages
from libs.iso8583.transport import FrameRules, Transport
from libs.outcome import Outcome

_LENGTH_DIGITS = {"": 0, "LL": 2, "LLL": 3}
_LENGTH_LIMIT = {"": 999, "LL": 99, "LLL": 999}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One directory of ``proto/iso8583``, read and checked."""

    name: str
    title: str
    digest: str  # SHA-256 of its files, for the start log.
    transport: Transport
    coding: Coding
    fields: Mapping[int, Field]
    messages: Messages
    response_codes: Mapping[Outcome, str]
    meanings: Mapping[str, str]

    def response_code(self, outcome: Outcome) -> str:
        """Return what DE39 says for this outcome."""
        return self.response_codes[outcome]


def load_dialect(directory: Path) -> Dialect:
    """Read a dialect's directory and check that its files agree.

    Raises ``DialectBroken`` with one sentence that names file, place and trouble.
    """
    files = read_files(directory)
    fields = _fields(directory, files.fields)
    return Dialect(
        name=files.transport.name,
        title=files.transport.title,
        digest=files.digest,
        transport=_transport(directory, files),
        coding=_coding(files.fields.coding),
        fields=fields,
        messages=build_messages(directory, files.messages, fields),
        response_codes=_response_codes(directory, files.response_codes),
        meanings=MappingProxyType(dict(files.response_codes.meaning)),
    )


def _coding(table: CodingTable) -> Coding:
    return Coding(
        mti=table.mti,
        bitmap=table.bitmap,
        number=table.number,
        length=table.length,
        bytes=table.bytes,
    )


def _transport(directory: Path, files: Files) -> Transport:
    file: TransportFile = files.transport
    try:
        ZoneInfo(file.listener.zone)
    except (KeyError, ValueError, OSError):
        place = f"{directory / 'transport.toml'}: listener.zone"
        raise DialectBroken(f"{place}: there is no time zone {file.listener.zone!r}") from None
    coding = files.fields.coding
    frame = FrameRules(
        length_max=file.frame.length_max,
        tpdu=file.frame.tpdu,
        tpdu_id=int(file.frame.tpdu_id, 16),
        message_min=(2 if coding.mti == "bcd" else 4) + (8 if coding.bitmap == "binary" else 16),
    )
    return Transport(
        frame=frame,
        host=file.listener.host,
        port=file.listener.port,
        zone=file.listener.zone,
        first_message_ms=file.deadlines.first_message_s * 1000,
        frame_ms=file.deadlines.frame_s * 1000,
        idle_ms=file.deadlines.idle_s * 1000,
        answer_ms=file.deadlines.answer_s * 1000,
        keepalive_interval_ms=file.keepalive.interval_s * 1000,
        keepalive_count=file.keepalive.count,
        dropped_in_a_row_max=file.conduct.dropped_in_a_row_max,
        sign_on_required=file.conduct.sign_on_required,
    )


def _fields(directory: Path, file: FieldsFile) -> Mapping[int, Field]:
    found = {}
    for number, row in sorted(file.field.items()):
        trouble = _trouble(number, row, file.coding)
        if trouble:
            raise DialectBroken(f"{directory / 'fields.toml'}: field.{number}: {trouble}")
        found[number] = Field(
            number=number,
            name=row.name,
            cls=row.cls,
            length=row.length,
            length_digits=_LENGTH_DIGITS[row.style],
            pad=row.pad or "left",
            accept=row.accept,
            mask=row.mask,
            format=row.format,
            unit=_unit(row, file.coding),
            packed_length=file.coding.length == "bcd",
        )
    return MappingProxyType(found)


def _unit(row: FieldRow, coding: CodingTable) -> Unit:
    if row.cls == "b":
        return coding.bytes
    if row.cls in {"an", "ans"} or coding.number == "ascii":
        return "text"
    return "packed"


def _trouble(number: int, row: FieldRow, coding: CodingTable) -> str:
    packed = _unit(row, coding) == "packed"
    may_be_odd = row.cls != "xn" and (row.style != "" or row.length % 2 == 1)
    checks = (
        (number == THIRD_BITMAP, "is the bit of a third bitmap, which no message may carry"),
        (row.length > _LENGTH_LIMIT[row.style], f"{row.style} cannot say the length {row.length}"),
        (packed and may_be_odd and not row.pad, "needs pad, since its digits may be odd in number"),
        (row.cls == "xn" and row.length % 2 == 0, "a sign and packed digits have an odd length"),
        (row.cls == "xn" and row.style != "", "a signed amount is fixed"),
        (row.mask == "pan" and row.cls != "n", "a card number has class n"),
        (row.mask == "track2" and row.cls != "z", "track 2 has class z"),
        (row.format != "" and row.cls != "n", f"{row.format} needs class n"),
        (row.format != "" and row.style != "", f"{row.format} needs a fixed field"),
        (row.format not in {"", "hhmmss"} and row.length != len("MMDD"), "MMDD has 4 digits"),
        (row.format == "hhmmss" and row.length != len("hhmmss"), "hhmmss has 6 digits"),
    )
    return next((text for applies, text in checks if applies), "")


def _response_codes(directory: Path, file: ResponseCodesFile) -> Mapping[Outcome, str]:
    names = {outcome.name for outcome in Outcome}
    for name in file.outcome:
        if name not in names:
            place = f"{directory / 'response_codes.toml'}: outcome.{name}"
            raise DialectBroken(f"{place}: the catalogue has no such outcome")
    return MappingProxyType(
        {outcome: file.outcome.get(outcome.name, file.otherwise) for outcome in Outcome}
    )
