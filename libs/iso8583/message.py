"""One decoded message; it may be held and passed on, but never prints a value."""

from typing import Final

from libs.iso8583.sensitive import Pan, Sealed, Track2

FieldValue = str | bytes | Pan | Track2 | Sealed

NOTHING_MISFORMED: Final[frozenset[int]] = frozenset()


class Message:
    """What was read of one message, well enough to answer it.

    ``fields`` holds digits and text as ``str`` (``fields[22] == "051"``), bytes as ``bytes``, and
    secrets wrapped. ``misformed`` names fields whose extent was known and whose value was not
    right; they are not in ``fields``. ``broken`` is the label of a break in structure (None: none)
    met at ``broken_field``; fields from there on were not read, and the answer is 30.
    """

    __slots__ = ("broken", "broken_field", "fields", "has_second_bitmap", "misformed", "mti")

    def __init__(
        self,
        mti: str,
        fields: dict[int, FieldValue],
        misformed: frozenset[int] = NOTHING_MISFORMED,
        broken: str | None = None,
        broken_field: int = 0,
        has_second_bitmap: bool = False,  # noqa: FBT001, FBT002 -- positional: built on the hot path.
    ) -> None:
        self.mti = mti
        self.fields = fields
        self.misformed = misformed
        self.broken = broken
        self.broken_field = broken_field
        self.has_second_bitmap = has_second_bitmap

    def __repr__(self) -> str:
        read = ",".join(str(number) for number in sorted(self.fields))
        wrong = f" misformed {sorted(self.misformed)}" if self.misformed else ""
        broken = f" broken {self.broken} at {self.broken_field}" if self.broken else ""
        return f"<Message {self.mti} fields {read}{wrong}{broken}>"
