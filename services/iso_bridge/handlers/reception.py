"""One listener as messages meet it: dialect, zone, deadline, rate, sign-ons, today's dates."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from libs.clock import business_day
from libs.iso8583 import Answers, Codec, Dialect, FieldValue, Message, MessageSpec
from services.iso_bridge.domain.key_day import KeyDay, key_day
from services.iso_bridge.domain.message_rate import MessageRate
from services.iso_bridge.domain.sign_on import SignOns

_MS: Final = 1_000


class Reception:
    """Everything of one listener that does not change between two messages."""

    __slots__ = (
        "_answers", "_days", "_today", "_today_from_ms", "_today_until_ms", "_zone", "answer_ms",
        "codec", "dialect", "name", "rate", "sign_ons",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str,
        dialect: Dialect,
        zone: ZoneInfo,
        answer_ms: int,
        sign_on_required: bool,
        rate: MessageRate,
    ) -> None:
        self.name = name
        self.dialect = dialect
        self.codec = Codec(dialect)
        self._answers = Answers()
        self.answer_ms = answer_ms
        self.rate = rate
        self.sign_ons = SignOns(demanded=sign_on_required)
        self._zone = zone
        self._today = date.min
        self._today_from_ms = self._today_until_ms = 0
        self._days: dict[str, KeyDay | None] = {}

    def echo(self, message: Message, spec: MessageSpec) -> dict[int, FieldValue]:
        """Return the fields that an answer takes over from its message."""
        return self._answers.echo(message, spec)

    def key_day(self, mmdd: str, now_ms: int) -> KeyDay | None:
        """Return the day that DE13 means at this moment (Unix ms), in the listener's zone."""
        if not self._today_from_ms <= now_ms < self._today_until_ms:
            self._turn_day(now_ms)
        if mmdd not in self._days:
            self._days[mmdd] = key_day(mmdd, self._today)  # At most 366 of them.
        return self._days[mmdd]

    def local_time(self, now_ms: int) -> tuple[str, str]:
        """Return DE12 and DE13 of this moment (Unix ms), in the listener's zone."""
        local = datetime.fromtimestamp(now_ms / _MS, UTC).astimezone(self._zone)
        return f"{local:%H%M%S}", f"{local:%m%d}"

    def _turn_day(self, now_ms: int) -> None:
        self._today = business_day(now_ms, self._zone)
        self._days = {}
        self._today_from_ms = self._midnight_ms(self._today)
        self._today_until_ms = self._midnight_ms(self._today + timedelta(days=1))

    def _midnight_ms(self, day: date) -> int:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return int(midnight.timestamp()) * _MS
