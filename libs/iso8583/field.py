"""What a dialect says of one field and of its coding; values only, no bytes are read here."""

from dataclasses import dataclass
from typing import Final, Literal

FieldClass = Literal["n", "an", "ans", "b", "z", "xn"]
Mask = Literal["", "pan", "track2", "sealed"]
Unit = Literal["packed", "text", "raw", "hex"]

THIRD_BITMAP: Final = 65
"""The bit of a third bitmap, which no message of this switch may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How message type, bitmap, digits, lengths and bytes stand on the wire."""

    mti: Literal["bcd", "ascii"]
    bitmap: Literal["binary", "hex"]
    number: Literal["bcd", "ascii"]
    length: Literal["bcd", "ascii"]
    bytes: Literal["raw", "hex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One data element. ``length`` counts digits, characters or bytes."""

    number: int
    name: str
    cls: FieldClass
    length: int
    length_digits: int  # 0: fixed; 2: LL; 3: LLL.
    pad: Literal["left", "right"]
    accept: str  # Filling nibbles taken from others, upper case.
    mask: Mask
    format: Literal["", "hhmmss", "MMDD"]
    unit: Unit
    packed_length: bool  # The length in front is BCD.

    @property
    def is_fixed(self) -> bool:
        """Tell whether every value has the same extent."""
        return self.length_digits == 0

    def size(self, length: int) -> int:
        """Return how many bytes a value of so many digits, characters or bytes takes."""
        if self.unit == "packed":
            # A signed amount: one character, then digits.
            return 1 + length // 2 if self.cls == "xn" else (length + 1) // 2
        return length * 2 if self.unit == "hex" else length
