"""Look for what is wrong in a dialect's directory beyond what loading it refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from libs.iso8583.codec import Codec
from libs.iso8583.dialect import Dialect, load_dialect
from libs.iso8583.faults import DecodeFault, DialectBroken, EncodeFault
from libs.iso8583.framing import FrameReader, request_frame
from libs.iso8583.golden import GoldenFrame, read_golden
from libs.iso8583.message_spec import MessageSpec
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec, plain
from libs.outcome import Outcome

_MASKS: Final = {
    2: "pan",
    34: "sealed",
    35: "track2",
    36: "sealed",
    45: "sealed",
    52: "sealed",
    53: "sealed",
    55: "sealed",
    102: "sealed",
    103: "sealed",
}
_RESPONSE_CODE: Final = 39
_CORRELATES: Final = (11, 41)  # What every terminal finds its answer by.


def lint_dialect(directory: Path) -> list[str]:
    """Return one sentence for each problem; an empty list for a dialect that may be used."""
    try:
        dialect = load_dialect(directory)
        golden = read_golden(directory, dialect)
    except DialectBroken as broken:
        return [str(broken)]
    return [
        *_timers(dialect),
        *_masks(dialect),
        *_answers(dialect),
        *_codes(dialect),
        *_golden(dialect, golden),
    ]


def _timers(dialect: Dialect) -> Iterator[str]:
    wire = dialect.transport
    rules = (
        ("frame_s", wire.frame_ms, "first_message_s", wire.first_message_ms),
        ("answer_s", wire.answer_ms, "frame_s", wire.frame_ms),
        ("first_message_s", wire.first_message_ms, "idle_s", wire.idle_ms),
        ("keepalive.interval_s", wire.keepalive_interval_ms, "idle_s", wire.idle_ms),
    )
    for lower, lower_ms, upper, upper_ms in rules:
        if lower_ms > upper_ms:
            yield f"transport.toml: {lower} is longer than {upper}"


def _masks(dialect: Dialect) -> Iterator[str]:
    for number, mask in _MASKS.items():
        field = dialect.fields.get(number)
        if field is not None and field.mask != mask:
            yield f"fields.toml: field.{number} ({field.name}) must have mask {mask}"


def _answers(dialect: Dialect) -> Iterator[str]:
    for number in _CORRELATES:
        if number not in dialect.fields:
            yield f"fields.toml: field.{number} is missing, and no message could be answered"
    for spec in dialect.messages.by_name.values():
        yield from _answer_of(spec, dialect.messages.key)


def _answer_of(spec: MessageSpec, key: tuple[int, ...]) -> Iterator[str]:
    place = f"messages.toml: message.{spec.name}"
    carried = spec.echoed | spec.answered.keys()
    for number in sorted({*key, *_CORRELATES}):
        if number not in carried:
            yield f"{place}: the answer lacks the key field {number}"
    if _RESPONSE_CODE not in spec.answered:
        yield f"{place}: the answer lacks DE39"


def _codes(dialect: Dialect) -> Iterator[str]:
    approved = dialect.response_code(Outcome.APPROVED)
    for outcome, code in dialect.response_codes.items():
        if outcome is not Outcome.APPROVED and code == approved:
            yield f"response_codes.toml: {outcome.name} is sent as {code}, which approves"
    for code in sorted(set(dialect.response_codes.values()) - dialect.meanings.keys()):
        yield f"response_codes.toml: meaning.{code} is missing"


def _golden(dialect: Dialect, golden: list[GoldenFrame]) -> Iterator[str]:
    ours = Codec(dialect, reads_answers=True)
    oracle = Pyiso8583Codec(dialect)
    names = set()
    for frame in golden:
        if frame.name in names:
            yield f"golden: {frame.name}: the name is used twice"
        names.add(frame.name)
        for problem in _frame(dialect, frame, ours, oracle):
            yield f"golden: {frame.name}: {problem}"
    seen = {frame.mti for frame in golden}
    served = {mti for mti, _ in dialect.messages.by_code} | dialect.messages.by_mti.keys()
    for mti in sorted(served - seen):
        yield f"golden: no frame shows message type {mti}"


def _frame(
    dialect: Dialect, golden: GoldenFrame, ours: Codec, oracle: Pyiso8583Codec
) -> Iterator[str]:
    frames = FrameReader(dialect.transport.frame).feed(golden.frame)
    if len(frames) != 1 or frames[0].tpdu != golden.tpdu:
        yield "is not one frame"
        return
    message = frames[0].message
    try:
        found = ours.decode(message)
    except DecodeFault as fault:
        yield f"cannot be decoded: {fault}"
        return
    read = {number: plain(value) for number, value in found.fields.items()}
    if found.broken or found.misformed or found.mti != golden.mti or read != golden.fields:
        yield "decodes to other values"
        return
    if not golden.is_canonical:
        return
    try:
        if request_frame(golden.tpdu, ours.encode(golden.mti, golden.fields)) != golden.frame:
            yield "encodes to other bytes"
        if oracle.decode(message) != (golden.mti, golden.fields):
            yield "pyiso8583 decodes other values"
        if oracle.encode(golden.mti, golden.fields) != message:
            yield "pyiso8583 encodes other bytes"
    except (DecodeFault, EncodeFault) as fault:
        yield f"cannot be encoded, or the oracle refuses it: {fault}"
