"""The fast way to write messages whose fields were met before; gives up at the first oddity."""

from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from libs.iso8583.field import Field
from libs.iso8583.field_writer import length_prefix, packed, write_field
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Pan

Part = Callable[[Mapping[int, FieldValue]], bytes]
"""Write some neighbouring fields. Raises one of ``UNFIT`` for a value that does not fit."""

UNFIT: Final = (TypeError, ValueError, AttributeError)
"""What a part raises for a value that does not fit; the exact writer then says which."""


def plan_parts(fields: list[Field]) -> tuple[Part, ...]:
    """Turn the fields of one message, ascending, into parts: runs of one coding are one."""
    parts: list[Part] = []
    for kind, group in groupby(fields, key=_run_kind):
        members = list(group)
        if kind == "digits":
            parts.append(_digit_run(members))
        elif kind == "text":
            parts.append(_text_run(members))
        else:
            parts.extend(_single(field) for field in members)
    return tuple(parts)


def _run_kind(field: Field) -> str:
    if field.is_fixed and not field.mask:
        if field.cls == "n" and field.unit == "packed":
            return "digits"
        if field.cls in {"an", "ans"}:
            return "text"
    return ""


def _tuple_getter(fields: list[Field]) -> Callable[[Mapping[int, Any]], tuple[Any, ...]]:
    numbers = [field.number for field in fields]
    if len(numbers) > 1:
        return itemgetter(*numbers)
    (only,) = numbers
    return lambda values: (values[only],)


def _digit_run(fields: list[Field]) -> Part:
    values_of = _tuple_getter(fields)
    template = "".join(_slot(field) for field in fields)
    lengths = [field.length for field in fields]

    def part(values: Mapping[int, FieldValue]) -> bytes:
        found = values_of(values)
        digits = template % found
        if list(map(len, found)) != lengths or not digits.isdigit():
            raise ValueError
        return bytes.fromhex(digits)

    return part


def _slot(field: Field) -> str:
    if field.length % 2 == 0:
        return "%s"
    return "0%s" if field.pad == "left" else "%s0"


def _text_run(fields: list[Field]) -> Part:
    values_of = _tuple_getter(fields)
    lengths = [field.length for field in fields]

    def part(values: Mapping[int, FieldValue]) -> bytes:
        found = values_of(values)
        if list(map(len, found)) != lengths:
            raise ValueError
        return "".join(found).encode("ascii")

    return part


def _single(field: Field) -> Part:
    if field.mask == "pan" and field.unit == "packed":
        return _pan(field)
    if field.unit == "text" and not field.mask and field.cls in {"an", "ans"}:
        return _text(field)
    number = field.number
    return lambda values: write_field(field, values[number])


def _pan(field: Field) -> Part:
    number = field.number
    prefixes = [length_prefix(field, length) for length in range(field.length + 1)]

    def part(values: Mapping[int, FieldValue]) -> bytes:
        value = values[number]
        if not isinstance(value, Pan):
            return write_field(field, value)  # Tools give plain digits.
        digits = value.in_clear()
        if not digits.isdigit() or len(digits) > field.length:
            raise ValueError
        return prefixes[len(digits)] + bytes.fromhex(packed(field, digits))

    return part


def _text(field: Field) -> Part:
    number = field.number
    prefixes = [length_prefix(field, length) for length in range(field.length + 1)]

    def part(values: Mapping[int, FieldValue]) -> bytes:
        value = values[number]
        if not isinstance(value, str):
            raise TypeError
        content = value.encode("ascii")
        if len(content) > field.length:
            raise ValueError
        return prefixes[len(content)] + content

    return part
