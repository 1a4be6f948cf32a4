"""Amounts inside DE54 and DE48, written and read."""

import pytest

from libs.iso8583 import (
    OWN_PURSE,
    RESTRICTED_PURSE,
    Balance,
    Paid,
    build_balances,
    build_goods,
    build_paid,
    build_tags,
    parse_balances,
    parse_goods,
    parse_paid,
    parse_tags,
)


class TestBalances:
    def test_writes_a_block_of_twenty_for_each_purse(self) -> None:
        """Account type, available, rupiah, credit, twelve digits; in the order given."""
        balances = [Balance(OWN_PURSE, 950_000_00), Balance(RESTRICTED_PURSE, 200_000_00)]

        text = build_balances(balances)

        assert "6002360C000095000000" + "6502360C000020000000" == text
        assert balances == parse_balances(text)

    def test_writes_what_is_owed_as_a_debit(self) -> None:
        """A balance below zero has the sign D and no minus."""
        assert "6002360D000000000001" == build_balances([Balance(OWN_PURSE, -1)])
        assert [Balance(OWN_PURSE, -1)] == parse_balances("6002360D000000000001")

    def test_writes_no_balance_as_nothing(self) -> None:
        """No purse, no block."""
        assert "" == build_balances([])
        assert [] == parse_balances("")

    @pytest.mark.parametrize(
        "text",
        [
            "6002360C00009500000",
            "6002360X000095000000",
            "6001360C000095000000",
            "6002840C000095000000",
            "6002360C00009500000x",
            "6002360C0000950000006",
        ],
    )
    def test_reads_nothing_from_other_blocks(self, text: str) -> None:
        """Short, without sign, another amount type or currency, no digits, a rest."""
        assert parse_balances(text) is None


class TestPaid:
    def test_writes_groups_of_eighteen(self) -> None:
        """Account type, programme, amount; the own purse is programme 0000."""
        paid = [Paid(RESTRICTED_PURSE, 1, 30_000_00), Paid(OWN_PURSE, 0, 20_000_00)]

        text = build_paid(paid)

        assert "PS36" + "650001000003000000" + "600000000002000000" == text
        assert paid == parse_paid(text)

    @pytest.mark.parametrize(
        "paid",
        [
            [],
            [Paid(OWN_PURSE, 0, 50_000_00)],
            [Paid(RESTRICTED_PURSE, 1, 0), Paid(OWN_PURSE, 0, 50_000_00)],
        ],
    )
    def test_writes_nothing_when_the_own_purse_paid_all(self, paid: list[Paid]) -> None:
        """DE48 is then left out."""
        assert "" == build_paid(paid)

    def test_leaves_zeros_out(self) -> None:
        """A purse that paid nothing is not named."""
        paid = [Paid(RESTRICTED_PURSE, 1, 0), Paid(RESTRICTED_PURSE, 2, 1), Paid(OWN_PURSE, 0, 0)]

        assert "PS18650002000000000001" == build_paid(paid)

    def test_repeats_the_tag_after_five_groups(self) -> None:
        """Six purses paid: five in the first tag, one in the second."""
        paid = [Paid(RESTRICTED_PURSE, number, number) for number in range(1, 6)]
        paid.append(Paid(OWN_PURSE, 0, 6))

        text = build_paid(paid)

        assert ["PS", "PS"] == [tag for tag, _ in parse_tags(text) or []]
        assert [90, 18] == [len(value) for _, value in parse_tags(text) or []]
        assert paid == parse_paid(text)

    @pytest.mark.parametrize("text", ["PS", "PS17" + "6" * 17, "PS18" + "65000100000000000x"])
    def test_reads_nothing_from_other_groups(self, text: str) -> None:
        """No TLV, half a group, no digits."""
        assert parse_paid(text) is None


class TestGoods:
    def test_writes_lines_that_it_reads(self) -> None:
        """Six lines fit a tag, the seventh opens another."""
        lines = tuple((number, number * 100) for number in range(1, 8))

        text = build_goods(lines)

        assert [96, 16] == [len(value) for _, value in parse_tags(text) or []]
        assert lines == parse_goods(text)


class TestTags:
    def test_writes_tags_that_it_reads(self) -> None:
        """Order, repetition and empty values survive."""
        tags = [("AB", "x"), ("AB", ""), ("  ", "y" * 99)]

        assert tags == parse_tags(build_tags(tags))

    @pytest.mark.parametrize(
        "text", ["A", "AB", "AB1", "AB0x", "AB01", "AB01xA", "AB-1x", "AB0\u0661x"]
    )
    def test_reads_nothing_from_what_is_no_list(self, text: str) -> None:
        """A tag, length or value that is not all there, or a length that is no number."""
        assert parse_tags(text) is None
