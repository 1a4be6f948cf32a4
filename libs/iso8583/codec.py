"""Bytes to messages and back for one dialect; whether a message is right is decided elsewhere."""

from collections.abc import Mapping
from typing import Final

from libs.iso8583.decode_plan import Odd, Step, plan_steps
from libs.iso8583.dialect import Dialect
from libs.iso8583.encode_plan import UNFIT, Part, plan_parts
from libs.iso8583.exact_decoder import ExactDecoder
from libs.iso8583.faults import EncodeFault
from libs.iso8583.field_writer import write_field
from libs.iso8583.message import NOTHING_MISFORMED, FieldValue, Message

_PLANS_MAX: Final = 512  # Bitmaps are chosen by others; this bounds what they can make us keep.
_LAST_OF_FIRST_BITMAP: Final = 64


class Codec:
    """Decode and encode; each layout that is met twice has its plan.

    A switch drops answers that are sent to it; ``reads_answers`` is for terminals and tools.
    """

    def __init__(self, dialect: Dialect, *, reads_answers: bool = False) -> None:
        self._fields = dialect.fields
        self._coding = dialect.coding
        self._exact = ExactDecoder(dialect, reads_answers=reads_answers)
        self._mti_bytes = 2 if dialect.coding.mti == "bcd" else 4
        self._bitmap_bytes = 8 if dialect.coding.bitmap == "binary" else 16
        self._requests: dict[bytes, str] = {}
        self._steps: dict[bytes, tuple[int, tuple[Step, ...]]] = {}
        self._parts: dict[tuple[str, tuple[int, ...]], tuple[bytes, tuple[Part, ...]]] = {}

    def decode(self, message: bytes) -> Message:
        """Return what was read. Raises ``DecodeFault``, and nothing else, for what is dropped."""
        mti_end = self._mti_bytes
        bitmap_end = mti_end + self._bitmap_bytes
        mti = self._requests.get(message[:mti_end])
        plan = self._steps.get(message[mti_end:bitmap_end])
        if plan is None:
            two = message[mti_end : bitmap_end + self._bitmap_bytes]
            plan = self._steps.get(two)
        if mti is None or plan is None:
            return self._decode_first(message)
        at, steps = plan
        nibbles = message.hex()
        text = str(message, "latin-1")
        fields: dict[int, FieldValue] = {}
        try:
            for step in steps:
                at = step(message, nibbles, text, at, fields)
        except (Odd, IndexError):
            at = -1
        if at != len(message):
            return self._exact.decode(message)  # Here, so that its fault has no context.
        return Message(mti, fields, NOTHING_MISFORMED, None, 0, plan[0] > bitmap_end)

    def _decode_first(self, message: bytes) -> Message:
        """Decode exactly, and keep a plan for the next message of this shape when it was clean."""
        found = self._exact.decode(message)
        if found.broken or found.misformed:
            return found
        mti_end = self._mti_bytes
        start = mti_end + self._bitmap_bytes * (2 if found.has_second_bitmap else 1)
        if len(self._steps) >= _PLANS_MAX:
            self._steps.clear()
        steps = plan_steps([self._fields[number] for number in sorted(found.fields)])
        self._steps[message[mti_end:start]] = start, steps
        self._requests[message[:mti_end]] = found.mti  # At most as many as there are types.
        return found

    def encode(self, mti: str, fields: Mapping[int, FieldValue]) -> bytes:
        """Return the message; the second bitmap is there only when a field needs it.

        Raises ``EncodeFault``, and nothing else, when a value does not fit its field.
        """
        layout = mti, tuple(fields)
        plan = self._parts.get(layout)
        if plan is None:
            plan = self._plan_parts(mti, layout[1])
            if len(self._parts) >= _PLANS_MAX:
                self._parts.clear()
            self._parts[layout] = plan
        head, parts = plan
        try:
            return head + b"".join([part(fields) for part in parts])
        except UNFIT:
            pass
        return head + b"".join(
            [write_field(self._fields[number], fields[number]) for number in sorted(fields)]
        )

    def _plan_parts(self, mti: str, layout: tuple[int, ...]) -> tuple[bytes, tuple[Part, ...]]:
        for number in layout:
            if number not in self._fields:
                raise EncodeFault("field_unknown", number)
        numbers = sorted(layout)
        width = 128 if numbers and numbers[-1] > _LAST_OF_FIRST_BITMAP else 64
        bits = sum(1 << (width - number) for number in numbers)
        if width > _LAST_OF_FIRST_BITMAP:
            bits |= 1 << (width - 1)
        bitmap = bits.to_bytes(width // 8, "big")
        if self._coding.bitmap == "hex":
            bitmap = bitmap.hex().upper().encode()
        if not (len(mti) == len("0000") and mti.isdigit() and mti.isascii()):
            raise EncodeFault("mti_not_digits")
        kind = bytes.fromhex(mti) if self._coding.mti == "bcd" else mti.encode()
        return kind + bitmap, plan_parts([self._fields[number] for number in numbers])
