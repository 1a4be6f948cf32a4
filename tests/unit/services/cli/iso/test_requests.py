"""Messages of the small terminal keep the form that the switch demands."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from libs.iso8583 import Codec, Kind, check_form
from services.cli.iso.requests import Operation, Wish, build_request, fresh_stan
from services.cli.iso.show import edc_dialect

LOCAL = datetime(2026, 11, 24, 1, 2, 3, 450_000, tzinfo=ZoneInfo("Asia/Jayapura"))


def a_wish(operation: Operation, *, date_mmdd: str = "") -> Wish:
    return Wish(
        operation=operation, terminal="LSK00001", outlet="BUMA00000000001", stan=7, local=LOCAL,
        pan="9360099900000016", amount_minor=5_000_000, date_mmdd=date_mmdd,
    )  # fmt: skip


class TestBuildRequest:
    @pytest.mark.parametrize(
        ("operation", "kind"),
        [
            (Operation.PURCHASE, Kind.PURCHASE),
            (Operation.INQUIRY, Kind.INQUIRY),
            (Operation.REVERSAL, Kind.REVERSAL),
            (Operation.ECHO, Kind.NETWORK),
        ],
    )
    def test_makes_messages_that_are_well_formed(self, operation: Operation, kind: Kind) -> None:
        """Each of them passes the switch's own check of form after a trip over the wire."""
        dialect = edc_dialect()
        codec = Codec(dialect)

        message = codec.decode(codec.encode(*build_request(a_wish(operation))))
        form = check_form(message, dialect)

        assert (kind, None) == (form.kind, form.outcome)

    def test_fits_the_budget_of_a_satellite_link(self) -> None:
        """A purchase takes at most 120 bytes with length and TPDU (DESIGN 10)."""
        message = Codec(edc_dialect()).encode(*build_request(a_wish(Operation.PURCHASE)))

        assert 120 >= len(message) + 7

    def test_says_the_local_date_unless_told_another(self) -> None:
        """DE12 and DE13 are local, DE7 is GMT of the same moment."""
        _, fields = build_request(a_wish(Operation.PURCHASE))
        _, other = build_request(a_wish(Operation.PURCHASE, date_mmdd="1231"))

        assert ("010203", "1124", "1123160203") == (fields[12], fields[13], fields[7])
        assert "1231" == other[13]


class TestFreshStan:
    def test_changes_ten_times_a_second(self) -> None:
        """Tenths of a second since midnight fit into six digits."""
        midnight = LOCAL.replace(hour=0, minute=0, second=0, microsecond=0)
        last = LOCAL.replace(hour=23, minute=59, second=59, microsecond=999_999)

        assert (1, 37_234, 863_999) == (fresh_stan(midnight), fresh_stan(LOCAL), fresh_stan(last))
