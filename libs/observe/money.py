"""The one line per money message: built by hand, because it is written ten thousand times a second.

It takes the masked card only and holds nothing that edc.md keeps off the logs.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Final, TextIO

from libs.observe.redaction import redact_text

_TEXTS_MAX: Final = 8_192


class MoneyLog:
    """Collects the lines of one turn of the event loop and writes them at once.

    ``defer`` runs a callback soon, normally ``loop.call_soon``. Call ``flush`` before closing.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        service: str,
        defer: Callable[[Callable[[], None]], object],
    ) -> None:
        self._stream = stream
        self._defer = defer
        self._head = f'"level":"info","service":{encode_basestring_ascii(service)},"event":"money"'
        self._lines: list[str] = []
        self._second = -1
        self._second_text = ""
        # What terminals send as names is checked once and kept: it comes again and again.
        self._texts: dict[str, str] = {}

    def line(  # noqa: PLR0913 -- a value object would cost as much as the line itself
        self,
        at_ms: int,
        *,
        correlation: bytes,
        operation: str,
        terminal: str,
        outlet: str,
        stan: int,
        rrn: str,
        card: str,
        amount_minor: int,
        de39: str,
        took_ms: int,
    ) -> None:
        """Write one line soon; ``card`` is masked already, ``de39`` empty when we stayed silent."""
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        text = self._text
        quoted = encode_basestring_ascii  # New each time, and too short or masked: only quoted.
        lines = self._lines
        if not lines:
            self._defer(self.flush)
        lines.append(
            f'{{"ts":"{self._second_text}.{ms:03d}Z",{self._head},'
            f'"correlation":"{correlation.hex()}","operation":{text(operation)},'
            f'"terminal":{text(terminal)},"outlet":{text(outlet)},"stan":{stan},"rrn":{quoted(rrn)},'
            f'"card":{quoted(card)},"amount_minor":{amount_minor},"de39":{text(de39)},'
            f'"took_ms":{took_ms}}}\n'
        )

    def flush(self) -> None:
        """Write what was collected."""
        if self._lines:
            text = "".join(self._lines)
            self._lines.clear()
            self._stream.write(text)
            self._stream.flush()

    def _text(self, value: str) -> str:
        found = self._texts.get(value)
        if found is None:
            if len(self._texts) >= _TEXTS_MAX:
                self._texts.clear()
            found = self._texts[value] = encode_basestring_ascii(redact_text(value))
        return found
