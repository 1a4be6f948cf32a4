"""The edge's pure rules, each at its border."""

from datetime import date

import pytest

from libs.fakes.registry import a_terminal
from libs.iso8583 import Kind
from libs.outcome import Outcome
from libs.registry import Terminal
from services.iso_bridge.domain.admission import refuse_form, refuse_new_key, refuse_terminal
from services.iso_bridge.domain.content import Content, is_same_content
from services.iso_bridge.domain.key_day import key_day
from services.iso_bridge.domain.message_rate import MessageRate
from services.iso_bridge.domain.operation import INQUIRY, PURCHASE, REVERSAL, operation_of
from services.iso_bridge.domain.patience import NEVER, Overdue, Patience, Silence, overdue
from services.iso_bridge.domain.sign_on import SignOns

KEYED = a_terminal()._replace(has_mac_key=True, may_omit_mac=False)
PILOT = a_terminal()
STRICT = a_terminal()._replace(may_omit_mac=False)


class TestKeyDay:
    @pytest.mark.parametrize(
        ("mmdd", "is_open"),
        [("0226", False), ("0227", True), ("0228", True), ("0301", True), ("0303", True),
         ("0304", False)],
    )  # fmt: skip
    def test_opens_from_three_days_ago_to_tomorrow(self, mmdd: str, is_open: bool) -> None:  # noqa: FBT001 -- a table
        """Days are counted over the end of a month; 2026 has no 29 February."""
        found = key_day(mmdd, date(2026, 3, 2))

        assert found is not None
        assert found.is_open is is_open

    def test_finds_the_leap_day(self) -> None:
        """0229 is a day in 2028 and near it, and none in 2026."""
        leap = key_day("0229", date(2028, 3, 1))

        assert leap is not None
        assert (date(2028, 2, 29), True) == (leap.date, leap.is_open)
        assert key_day("0229", date(2026, 3, 1)) is None

    def test_gives_a_far_day_its_nearest_year(self) -> None:
        """A reversal in January names December of last year."""
        found = key_day("1231", date(2027, 1, 20))

        assert found is not None
        assert (date(2026, 12, 31), 20_818, False) == found


class TestMessageRate:
    @staticmethod
    def count(rate: MessageRate, wanted: int, now_ms: int, *, is_reversal: bool = False) -> int:
        """Return how many of so many messages at one moment are admitted."""
        return sum(
            rate.admits("LSK00001", is_reversal=is_reversal, now_ms=now_ms) for _ in range(wanted)
        )

    def test_admits_a_burst_and_then_the_rate(self) -> None:
        """30 at once of 40, then 20 a second; a rest gives back no more than the burst."""
        rate = MessageRate(per_second=20, burst=30)

        assert self.count(rate, 40, 5_000) == 30
        assert self.count(rate, 40, 5_049) == 0
        assert self.count(rate, 40, 5_050) == 1
        assert self.count(rate, 40, 6_050) == 20
        assert self.count(rate, 40, 9_000_000) == 30

    def test_keeps_a_terminal_and_its_reversals_apart(self) -> None:
        """Who floods with purchases can still reverse, and hurts no other terminal."""
        rate = MessageRate(per_second=1, burst=2)

        assert self.count(rate, 9, 0) == 2
        assert self.count(rate, 9, 0, is_reversal=True) == 2
        assert rate.admits("LSK00002", is_reversal=False, now_ms=0)

    def test_is_news_once_a_minute_for_each_terminal(self) -> None:
        """A flood of messages is no flood of log lines."""
        rate = MessageRate(per_second=1, burst=1)
        moments = [0, 1, 59_999, 60_000, 60_001]

        assert [rate.is_news("LSK00001", now_ms=at) for at in moments] == [
            True, False, False, True, False,
        ]  # fmt: skip
        assert rate.is_news("LSK00002", now_ms=1)


class TestAdmission:
    @pytest.mark.parametrize(
        ("found", "terminal", "has_day", "two_macs", "expected"),
        [
            (None, PILOT, True, False, None),
            (None, PILOT, True, True, None),
            (None, None, True, True, None),
            (None, KEYED, True, True, Outcome.FORMAT_ERROR),
            (Outcome.FUNCTION_UNSUPPORTED, KEYED, True, True, Outcome.FORMAT_ERROR),
            (Outcome.AMOUNT_INVALID, PILOT, False, False, Outcome.FORMAT_ERROR),
            (Outcome.AMOUNT_INVALID, KEYED, True, False, Outcome.AMOUNT_INVALID),
        ],
    )
    def test_puts_format_errors_first(
        self,
        found: Outcome | None,
        terminal: Terminal | None,
        has_day: bool,  # noqa: FBT001 -- a table
        two_macs: bool,  # noqa: FBT001 -- a table
        expected: Outcome | None,
    ) -> None:
        """What the edge knows beside the dialect's table can only add a format error."""
        assert expected is refuse_form(found, terminal, has_day=has_day, has_two_macs=two_macs)

    @pytest.mark.parametrize(
        ("terminal", "expected"),
        [
            (PILOT, None),
            (None, Outcome.TERMINAL_UNKNOWN),
            (KEYED, Outcome.MAC_INVALID),
            (STRICT, Outcome.TERMINAL_UNKNOWN),
            (KEYED._replace(may_omit_mac=True), Outcome.MAC_INVALID),
        ],
    )
    def test_judges_the_terminal(self, terminal: Terminal | None, expected: Outcome | None) -> None:
        """A key that cannot be checked is 63, a missing one 58 unless the entry allows it."""
        assert expected is refuse_terminal(terminal)

    def test_refuses_a_far_day_before_a_missing_sign_on(self) -> None:
        """The date is told first: the log-on that mends it is a sign-on too."""
        assert refuse_new_key(day_is_open=True, is_signed_on=True) is None
        assert refuse_new_key(day_is_open=True, is_signed_on=False) is Outcome.TERMINAL_REFUSED
        assert refuse_new_key(day_is_open=False, is_signed_on=False) is Outcome.DATE_OUT_OF_WINDOW


class TestContent:
    def test_compares_field_by_field(self) -> None:
        """Any difference but a DE37 that only one sent makes it other content."""
        first = Content(b"t", "000000", 1, "BUMA", "R1")
        others = [
            first._replace(card_token=b"u"), first._replace(processing_code="000001"),
            first._replace(amount_minor=2), first._replace(outlet="BUMB"),
            first._replace(rrn_sent="R2"),
        ]  # fmt: skip

        assert is_same_content(first, first)
        assert is_same_content(first, first._replace(rrn_sent=""))
        assert is_same_content(first._replace(rrn_sent=""), first)
        assert not any(is_same_content(first, other) for other in others)


class TestSignOns:
    def test_counts_by_terminal_where_it_is_demanded(self) -> None:
        """One terminal's sign-on lets no other in, and signing off ends it."""
        signed = SignOns(demanded=True)
        signed.sign_on("LSK00001")

        assert (True, False) == (signed.is_signed_on("LSK00001"), signed.is_signed_on("LSK00002"))
        signed.sign_off("LSK00001")
        assert not signed.is_signed_on("LSK00001")

    def test_lets_everybody_in_where_it_is_not(self) -> None:
        """Sign-off stops nobody by default."""
        signed = SignOns(demanded=False)
        signed.sign_off("LSK00001")

        assert signed.is_signed_on("LSK00001")


def waiting(
    opened: int, last_message: int, frame_since: int, *, awaits_answer: bool = False
) -> Silence:
    """Return what a socket has done so far."""
    return Silence(opened, last_message, frame_since, awaits_answer)


class TestOverdue:
    PATIENCE = Patience(first_message_ms=60, frame_ms=30, idle_ms=900)

    @pytest.mark.parametrize(
        ("silence", "now_ms", "expected"),
        [
            (waiting(0, NEVER, NEVER), 60, None),
            (waiting(0, NEVER, NEVER), 61, "first_message"),
            (waiting(0, NEVER, 25), 55, None),
            (waiting(0, NEVER, 25), 56, "frame"),
            (waiting(0, NEVER, 59), 61, "first_message"),
            (waiting(0, 50, NEVER), 950, None),
            (waiting(0, 50, NEVER), 951, "idle"),
            (waiting(0, 50, NEVER, awaits_answer=True), 2_000, None),
            (waiting(0, 50, 930), 960, None),
            (waiting(0, 50, 930), 961, "frame"),
            (waiting(0, 50, 930, awaits_answer=True), 961, "frame"),
        ],
    )
    def test_closes_one_millisecond_after_its_limit(
        self, silence: Silence, now_ms: int, expected: Overdue | None
    ) -> None:
        """Each limit has its own start; whoever waits for an answer is not idle."""
        assert expected == overdue(silence, self.PATIENCE, now_ms)


class TestOperation:
    def test_knows_the_three_money_messages(self) -> None:
        """Everything else is about no money."""
        kinds = (Kind.PURCHASE, Kind.INQUIRY, Kind.REVERSAL, Kind.NETWORK, Kind.UNKNOWN)

        expected = [PURCHASE, INQUIRY, REVERSAL, None, None]
        assert expected == [operation_of(kind) for kind in kinds]
