"""What an answer takes over from its request: message type and the fields that are echoed."""

from typing import Final

from libs.iso8583.message import FieldValue, Message
from libs.iso8583.message_spec import MessageSpec

_KEPT_MAX: Final = 1024  # The shapes of requests are chosen by others.


def answer_mti(mti: str) -> str:
    """Return the answer's message type: function digit + 1, origin digit 0 (0201 -> 0210)."""
    return f"{mti[:2]}{int(mti[2]) + 1}0"


class Answers:
    """Remembers which fields are echoed for each shape of request."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[int, ...]], tuple[int, ...]] = {}

    def answer_fields(self, message: Message, spec: MessageSpec) -> tuple[int, ...]:
        """Return the fields to echo, ascending: those read well that the column marks E.

        The same for approvals and refusals; an answer 30 or 12 echoes them too.
        """
        shape = spec.name, tuple(message.fields)
        known = self._known.get(shape)
        if known is None:
            if len(self._known) >= _KEPT_MAX:
                self._known.clear()
            known = tuple(sorted(spec.echoed & message.fields.keys()))
            self._known[shape] = known
        return known

    def echo(self, message: Message, spec: MessageSpec) -> dict[int, FieldValue]:
        """Return a fresh dict of the echoed fields, to which DE39 and the rest are added."""
        fields = message.fields
        return {number: fields[number] for number in self.answer_fields(message, spec)}
