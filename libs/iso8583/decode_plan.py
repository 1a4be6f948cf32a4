"""The fast way through messages whose bitmap was met before; gives up at the first oddity."""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Final

from libs.iso8583.field import Field
from libs.iso8583.field_reader import BreakInExtent, read_field
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Pan, Track2
from libs.iso8583.value_check import FORMATS, is_track2

Step = Callable[[bytes, str, str, int, dict[int, FieldValue]], int]
"""Read from a message (bytes, hex, latin-1) at a byte position into the dict; give the next one."""

_EMPTY: Final = slice(0, 0)  # So that itemgetter gives a tuple also for one slice.
_BAD: Final = -1_000_000  # Stays negative in every sum.
_BCD: Final = tuple(
    (byte >> 4) * 10 + (byte & 15) if byte >> 4 < 10 and byte & 15 < 10 else _BAD  # noqa: PLR2004 -- nibbles above nine are no digits.
    for byte in range(256)
)


class Odd(Exception):
    """This message needs the exact decoder. Never leaves this library."""


def plan_steps(fields: list[Field]) -> tuple[Step, ...]:
    """Turn the fields of one bitmap, ascending, into steps: runs of plain fixed fields are one."""
    steps: list[Step] = []
    for together, group in groupby(fields, key=_joins_a_run):
        if together:
            steps.append(_run(list(group)))
        else:
            steps.extend(_single(field) for field in group)
    checks = [(field.number, FORMATS[field.format]) for field in fields if field.format]
    if checks:
        steps.append(_formats(checks))
    return tuple(steps)


def _joins_a_run(field: Field) -> bool:
    plain = not field.mask and field.cls in {"n", "an", "ans"}
    return plain and field.is_fixed and field.accept == "0"


class _Cuts:
    """Where the fields of a run stand: packed digits, their filling nibbles, and text by class."""

    def __init__(self, fields: list[Field]) -> None:
        self.size = 0
        self.packed: list[tuple[int, slice]] = []
        self.pads: list[slice] = []
        self.text: dict[str, list[tuple[int, slice]]] = {"n": [], "an": [], "ans": []}
        for field in fields:
            if field.unit == "packed":
                self._add_packed(field)
            else:
                cut = slice(self.size, self.size + field.length)
                self.text[field.cls].append((field.number, cut))
            self.size += field.size(field.length)

    def _add_packed(self, field: Field) -> None:
        odd = field.length % 2
        first = self.size * 2 + (odd if field.pad == "left" else 0)
        self.packed.append((field.number, slice(first, first + field.length)))
        if odd:
            pad = first - 1 if field.pad == "left" else first + field.length
            self.pads.append(slice(pad, pad + 1))


def _run(fields: list[Field]) -> Step:
    """Cut all fixed fields of a run with a few calls, and check each class once."""
    cuts = _Cuts(fields)
    size = cuts.size
    numbers = tuple(number for number, _ in cuts.packed)
    count = len(numbers)
    digits_of = _getter([cut for _, cut in cuts.packed] + cuts.pads)
    pads = ("0",) * len(cuts.pads) + ("",)
    texts = [
        (tuple(number for number, _ in found), _getter([cut for _, cut in found]), check)
        for cls, check in (("n", _all_digits), ("an", _all_letters), ("ans", _all_printable))
        if (found := cuts.text[cls])
    ]

    def step(_: bytes, nibbles: str, text: str, at: int, out: dict[int, FieldValue]) -> int:
        end = at + size
        if count:
            values = digits_of(nibbles[at * 2 : end * 2])
            if values[count:] != pads or not "".join(values).isdigit():
                raise Odd
            out.update(zip(numbers, values, strict=False))  # The pads are left out.
        if texts:
            part = text[at:end]
            for names, getter, check in texts:
                values = getter(part)
                if not check("".join(values)):
                    raise Odd
                out.update(zip(names, values, strict=False))
        return end

    return step


def _getter(cuts: list[slice]) -> Callable[[str], tuple[str, ...]]:
    return itemgetter(*cuts, _EMPTY) if cuts else itemgetter(_EMPTY, _EMPTY)


def _all_digits(text: str) -> bool:
    return text.isdigit() and text.isascii()


def _all_letters(text: str) -> bool:
    return text.isalnum() and text.isascii()


def _all_printable(text: str) -> bool:
    return text.isprintable() and text.isascii()


def _single(field: Field) -> Step:
    if field.packed_length and field.length_digits == 2:  # noqa: PLR2004 -- LL.
        if field.unit == "packed" and field.pad == "right":
            if field.mask == "pan":
                return _packed_ll(field, _pan)
            if field.mask == "track2":
                return _packed_ll(field, _track2)
            if field.cls == "n" and not field.mask:
                return _packed_ll(field, _digits)
    elif field.packed_length and field.cls == "ans" and field.length_digits and not field.mask:
        return _text_lll(field)
    return _exactly(field)


def _packed_ll(field: Field, make: Callable[[str], FieldValue]) -> Step:
    number, most = field.number, field.length
    accept = field.accept + field.accept.lower()

    def step(raw: bytes, nibbles: str, _: str, at: int, out: dict[int, FieldValue]) -> int:
        length = _BCD[raw[at]]
        start = at * 2 + 2
        end = start + length
        if not 0 < length <= most:
            raise Odd
        if length & 1:
            if nibbles[end] not in accept:
                raise Odd
            out[number] = make(nibbles[start:end])
            return (end + 1) >> 1
        out[number] = make(nibbles[start:end])
        return end >> 1

    return step


def _digits(text: str) -> FieldValue:
    if not text.isdigit():
        raise Odd
    return text


def _pan(text: str) -> FieldValue:
    if not text.isdigit():
        raise Odd
    return Pan(text)


def _track2(text: str) -> FieldValue:
    text = text.upper()
    if not is_track2(text):
        raise Odd
    return Track2(text)


def _text_lll(field: Field) -> Step:
    number, most = field.number, field.length

    def step(raw: bytes, _: str, text: str, at: int, out: dict[int, FieldValue]) -> int:
        start = at + 2
        length = _BCD[raw[at]] * 100 + _BCD[raw[at + 1]]
        if not 0 <= length <= most:
            raise Odd
        end = start + length
        value = text[start:end]
        if not (value.isprintable() and value.isascii()):
            raise Odd
        out[number] = value
        return end

    return step


def _exactly(field: Field) -> Step:
    def step(raw: bytes, _: str, __: str, at: int, out: dict[int, FieldValue]) -> int:
        try:
            value, at = read_field(field, raw, at)
        except BreakInExtent:
            raise Odd from None
        if value is None:
            raise Odd
        out[field.number] = value
        return at

    return step


def _formats(checks: list[tuple[int, Callable[[str], bool]]]) -> Step:
    def step(_: bytes, __: str, ___: str, at: int, out: dict[int, FieldValue]) -> int:
        for number, check in checks:
            value = out[number]
            if not (isinstance(value, str) and check(value)):
                raise Odd
        return at

    return step
