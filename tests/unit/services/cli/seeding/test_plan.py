"""Demo cards, outlets and terminals as edc.md lists them."""

import pytest

from services.cli.seeding.plan import (
    DemoRules,
    SeedRefused,
    card_number,
    ceiling_of,
    check_request,
    demo_card,
    luhn_digit,
    outlet_code,
    terminal_code,
)
from services.cli.seeding.rules import read_rules


@pytest.fixture(scope="module")
def rules() -> DemoRules:
    return read_rules()


class TestCardNumber:
    def test_makes_the_first_number_of_the_wire_description(self, rules: DemoRules) -> None:
        """The first demo card is 9360099900000016 (edc.md)."""
        assert "9360099900000016" == card_number(rules.cards, 1)

    @pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("0", "0"), ("18", "2")])
    def test_makes_known_check_digits(self, digits: str, check: str) -> None:
        """Known pairs of the Luhn rule hold, also where no carry is due."""
        assert check == luhn_digit(digits)


class TestDemoCard:
    def test_gives_an_ordinary_card(self, rules: DemoRules) -> None:
        """Serial 1 is active, standard, holds Rp 1,000,000.00 and nothing restricted."""
        card = demo_card(rules, 1)

        assert ("standard", "active", "3012", 100_000_000, ()) == (
            card.product, card.status, card.expiry, card.own_minor, card.purses,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("serial", "product", "status", "expiry", "own_minor"),
        [
            (96, "limited", "active", "3012", 100_000_000),
            (197, "standard", "blocked", "3012", 100_000_000),
            (98, "standard", "active", "2412", 100_000_000),
            (1099, "standard", "active", "3012", 0),
        ],
    )
    def test_gives_the_special_ones_by_their_last_two_digits(
        self, rules: DemoRules, serial: int, product: str, status: str, expiry: str, own_minor: int
    ) -> None:
        """96 is limited, 97 blocked, 98 expired, 99 empty."""
        card = demo_card(rules, serial)

        assert (product, status, expiry, own_minor) == (
            card.product, card.status, card.expiry, card.own_minor,
        )  # fmt: skip

    def test_gives_every_tenth_a_restricted_purse(self, rules: DemoRules) -> None:
        """Serial 20 holds Rp 200,000.00 of programme 1, purse 1; serial 21 does not."""
        (purse,) = demo_card(rules, 20).purses

        assert (1, 1, 20_000_000, "2030-12-31") == (
            purse.number, purse.programme, purse.amount_minor, str(purse.valid_until),
        )  # fmt: skip
        assert () == demo_card(rules, 21).purses

    def test_takes_another_balance_but_leaves_the_empty_one_empty(self, rules: DemoRules) -> None:
        """--balance changes ordinary cards; cards ending in 99 stay at zero."""
        assert (5, 0) == (demo_card(rules, 2, 5).own_minor, demo_card(rules, 99, 5).own_minor)


class TestOutlets:
    def test_makes_codes_that_fill_their_fields(self, rules: DemoRules) -> None:
        """DE42 has 15 characters and DE41 has 8."""
        found = (outlet_code(rules.outlets, 1), terminal_code(rules.outlets, 1))

        assert ("BUMA00000000001", "LSK00001") == found


class TestCheckRequest:
    def test_takes_the_last_serial_there_is(self, rules: DemoRules) -> None:
        """Serial 9,999,999 still fits into seven digits."""
        check_request(rules, first=9_999_999, count=1, own_minor=None)

        assert "936009999999999" == card_number(rules.cards, 9_999_999)[:-1]

    def test_refuses_one_serial_more(self, rules: DemoRules) -> None:
        """Serial 10,000,000 has eight digits."""
        with pytest.raises(SeedRefused, match="9999999"):
            check_request(rules, first=9_999_999, count=2, own_minor=None)

    def test_refuses_one_sen_above_the_lowest_ceiling(self, rules: DemoRules) -> None:
        """The limited product holds at most Rp 2,000,000."""
        ceiling = ceiling_of(rules, "limited")
        check_request(rules, first=1, count=1, own_minor=ceiling)

        with pytest.raises(SeedRefused, match="2000000"):
            check_request(rules, first=1, count=1, own_minor=ceiling + 1)
