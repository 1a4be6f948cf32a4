"""Messages into bytes: what is written, and that a value which does not fit is named."""

from collections.abc import Callable

import pytest

from libs.iso8583 import Codec, EncodeFault, FieldValue, Pan, Sealed, Track2

Build = Callable[..., dict[int, FieldValue]]


class TestEncode:
    def test_writes_the_form_of_the_dialect(self, codec: Codec) -> None:
        """Packed digits, filled left and right, text, lengths in BCD: byte for byte."""
        fields: dict[int, FieldValue] = {
            2: Pan("9360099900123"),
            11: "000007",
            22: "051",
            41: "LSK00001",
            48: "PS00",
        }

        expected = "0200" + "4020040000810000" + "1393600999001230" + "000007" + "0051"
        expected += b"LSK00001".hex() + "0004" + b"PS00".hex()
        assert expected == codec.encode("0200", fields).hex()

    def test_writes_ascending_whatever_order_is_given(
        self, codec: Codec, a_purchase: Build
    ) -> None:
        """The order of a dict is no part of a message."""
        fields = a_purchase()
        backwards = dict(reversed(fields.items()))

        assert codec.encode("0200", fields) == codec.encode("0200", backwards)

    def test_adds_the_second_bitmap_only_when_needed(self, codec: Codec) -> None:
        """DE70 needs it; without such a field it is never sent."""
        without = codec.encode("0800", {11: "000001"})
        with_code = codec.encode("0800", {11: "000001", 70: "301"})

        assert "08000020000000000000000001" == without.hex()
        assert (
            "0800" + "8020000000000000" + "0400000000000000" + "000001" + "0301" == with_code.hex()
        )

    def test_takes_wrapped_and_plain_values_alike(self, codec: Codec) -> None:
        """Tools and tests need not wrap."""
        wrapped: dict[int, FieldValue] = {
            2: Pan("9360099900000016"),
            35: Track2("9360099900000016D3012"),
            52: Sealed(b"12345678"),
        }
        plain: dict[int, FieldValue] = {
            2: "9360099900000016",
            35: "9360099900000016D3012",
            52: b"12345678",
        }

        assert codec.encode("0200", plain) == codec.encode("0200", wrapped)

    @pytest.mark.parametrize(
        ("number", "value", "reason"),
        [
            (4, "5000", "value_length"),
            (4, "0000050000000", "value_length"),
            (4, "00000500000a", "value_character"),
            (4, "00000500000 ", "value_character"),
            (4, "00000500000٣", "value_character"),
            (4, 5000, "value_not_text"),
            (4, b"000005000000", "value_not_text"),
            (2, "93600999000000160000", "value_length"),
            (2, "93600999000000x6", "value_character"),
            (2, Pan("93600999000000x6"), "value_character"),
            (2, Pan("93600999000000160000"), "value_length"),
            (35, "9360099900000016=3012", "value_character"),
            (41, "LSK1", "value_length"),
            (41, "LSK0000é", "value_character"),
            (48, "x" * 1000, "value_length"),
            (48, "é", "value_character"),
            (52, b"1234567", "value_length"),
            (52, "12345678", "value_not_bytes"),
            (28, "X00000150", "value_character"),
            (28, "C000001", "value_length"),
            (28, "C0000015", "value_length"),
            (62, None, "value_not_text"),
        ],
    )
    def test_names_a_value_that_does_not_fit(
        self, codec: Codec, a_purchase: Build, number: int, value: FieldValue, reason: str
    ) -> None:
        """Our own mistake is named by field and reason, and never written half."""
        fields = {**a_purchase({2: None}), number: value}

        with pytest.raises(EncodeFault) as caught:
            codec.encode("0210", fields)

        assert (reason, number) == (caught.value.reason, caught.value.field)
        assert f"{reason} (DE{number})" == str(caught.value)

    def test_does_not_balance_one_wrong_length_with_another(
        self, codec: Codec, a_purchase: Build
    ) -> None:
        """A digit too few in DE3 and one too many in DE4 would shift the fields."""
        with pytest.raises(EncodeFault):
            codec.encode("0200", a_purchase({3: "00000", 4: "0000005000000"}))

    @pytest.mark.parametrize("number", [0, 1, 65, 129])
    def test_refuses_a_field_that_the_dialect_lacks(self, codec: Codec, number: int) -> None:
        """Bit 65 and what no field table describes."""
        with pytest.raises(EncodeFault, match="field_unknown"):
            codec.encode("0200", {11: "000001", number: "0"})

    @pytest.mark.parametrize("mti", ["", "210", "02100", "02a0", "٠٢١٠"])
    def test_refuses_a_type_that_is_no_type(self, codec: Codec, mti: str) -> None:
        """Four digits."""
        with pytest.raises(EncodeFault, match="mti_not_digits"):
            codec.encode(mti, {11: "000001"})
