"""The line per money message: valid JSON whatever a terminal sends, one write per turn."""

import io
import json
from collections.abc import Callable
from typing import Any

from libs.observe import MoneyLog
from libs.observe.redaction import has_luhn_digit

PAN = "400000123456788"  # 15 digits fit an outlet code.


class Stream(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, text: str) -> int:
        """Count and keep."""
        self.writes += 1
        return super().write(text)


class Desk:
    def __init__(self) -> None:
        self.stream = Stream()
        self.soon: list[Callable[[], None]] = []
        self.log = MoneyLog(self.stream, service="iso_bridge", defer=self.soon.append)

    def line(self, at_ms: int = 1_700_000_000_007, **other: Any) -> None:
        """Write a line with some values of its own."""
        values: dict[str, Any] = {
            "correlation": bytes(range(16)),
            "operation": "purchase",
            "terminal": "T0000001",
            "outlet": "BUMA00000000001",
            "stan": 17,
            "rrn": "632820000017",
            "card": "400000******7899",
            "amount_minor": 5_000_000,
            "de39": "00",
            "took_ms": 12,
        }
        self.log.line(at_ms, **{**values, **other})

    def lines(self) -> list[dict[str, Any]]:
        """Return what was written."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


class TestMoneyLog:
    def test_writes_every_value(self) -> None:
        """One JSON object with time, service and all that was given."""
        desk = Desk()

        desk.line()
        desk.log.flush()

        assert [
            {
                "ts": "2023-11-14T22:13:20.007Z",
                "level": "info",
                "service": "iso_bridge",
                "event": "money",
                "correlation": "000102030405060708090a0b0c0d0e0f",
                "operation": "purchase",
                "terminal": "T0000001",
                "outlet": "BUMA00000000001",
                "stan": 17,
                "rrn": "632820000017",
                "card": "400000******7899",
                "amount_minor": 5_000_000,
                "de39": "00",
                "took_ms": 12,
            }
        ] == desk.lines()

    def test_writes_a_turn_at_once(self) -> None:
        """Lines of one turn wait for its end; the next turn asks again."""
        desk = Desk()
        for _ in range(3):
            desk.line()
        before = desk.stream.writes

        for run in desk.soon:
            run()
        desk.line()

        assert (0, 1, 2) == (before, desk.stream.writes, len(desk.soon))
        assert 3 == len(desk.lines())

    def test_writes_nothing_without_lines(self) -> None:
        """A flush at the end of an idle process leaves no empty line."""
        desk = Desk()

        desk.log.flush()

        assert 0 == desk.stream.writes

    def test_quotes_what_a_terminal_sends(self) -> None:
        """Quotes, controls and other letters in a name cannot break or forge a line."""
        desk = Desk()
        bad = 'a"\n\\\x00ü'

        desk.line(terminal=bad, outlet=bad, rrn=bad, card=bad)
        desk.log.flush()

        (line,) = desk.lines()
        assert [bad] * 4 == [line[name] for name in ("terminal", "outlet", "rrn", "card")]

    def test_masks_a_card_number_sent_as_a_name(self) -> None:
        """An outlet code of digits may be a card number that somebody put there."""
        desk = Desk()

        assert has_luhn_digit(PAN)
        for _ in range(2):
            desk.line(outlet=PAN, terminal="T")
        desk.log.flush()

        assert ["***", "***"] == [line["outlet"] for line in desk.lines()]

    def test_shows_each_second(self) -> None:
        """The time goes on from line to line, also backwards."""
        desk = Desk()

        for at_ms in (1_700_000_000_999, 1_700_000_001_000, 1_700_000_000_001):
            desk.line(at_ms)
        desk.log.flush()

        assert ["20.999", "21.000", "20.001"] == [line["ts"][17:23] for line in desk.lines()]
