"""What may be written: masked by name, by looks, or only by class."""

import pytest

from libs.observe.redaction import MASK, has_luhn_digit, redact, redact_text

PAN = "4000001234567899"


class TestRedactText:
    @pytest.mark.parametrize(
        "text",
        [
            PAN,
            f"card {PAN}!",
            f"{PAN}D2512",
            f"a{PAN}b",
            "4000 0012 3456 7899",
            "4000-0012-3456-7899",
        ],
    )
    def test_masks_a_card_number(self, text: str) -> None:
        """A card number goes, wherever it stands and however it is grouped."""
        masked = redact_text(text)

        assert MASK in masked
        assert PAN[6:12] not in masked.replace(" ", "").replace("-", "")

    @pytest.mark.parametrize("length", range(13, 20))
    def test_masks_every_length_a_card_number_has(self, length: int) -> None:
        """From 13 to 19 digits with a sound check digit."""
        body = "4" + "0" * (length - 2)
        (digit,) = (d for d in "0123456789" if has_luhn_digit(body + d))

        assert MASK == redact_text(body + digit)

    def test_masks_a_card_number_inside_a_longer_run(self) -> None:
        """Digits before and after do not hide it."""
        assert MASK == redact_text(f"0200{PAN}000000")

    @pytest.mark.parametrize(
        "text", ["4000001234567898", "123456789012", "2026-11-24T21:30:15.123456Z", "8580", ""]
    )
    def test_leaves_other_digits(self, text: str) -> None:
        """A wrong check digit, twelve digits or a time are no card number."""
        assert text == redact_text(text)


class TestRedact:
    @pytest.mark.parametrize(
        "name", ["pan", "PAN", "track2", "pin_block", "key", "mac_key", "de35", "sent_frame", "dsn"]
    )
    def test_masks_by_name(self, name: str) -> None:
        """Under these names nothing is written, whatever it looks like."""
        assert [MASK] * 3 == [redact(name, value) for value in ("x", b"x", 12)]

    def test_writes_bytes_as_their_length(self) -> None:
        """Bytes may be a frame."""
        assert "<3 bytes>" == redact("found", b"abc")

    def test_writes_an_object_as_its_class(self) -> None:
        """The text of an object may hold anything, that of an exception often does."""
        assert "<ValueError>" == redact("reason", ValueError(PAN))

    def test_looks_inside(self) -> None:
        """Lists and mappings are redacted value by value, names included."""
        found = redact("row", {"pan": "1", "cards": [PAN, "x"], PAN: 1, "n": {"pin": "1"}})

        assert {"pan": MASK, "cards": [MASK, "x"], MASK: 1, "n": {"pin": MASK}} == found

    def test_ends_in_a_mask_where_it_gets_too_deep(self) -> None:
        """A structure that holds itself does not hang the log."""
        endless: list[object] = []
        endless.append(endless)

        assert MASK in str(redact("row", endless))

    def test_leaves_our_own_ids(self) -> None:
        """A correlation id is random hex; its digits mean nothing, but only in its exact form."""
        hex_id = PAN + "0" * 16

        assert hex_id == redact("correlation", hex_id)
        assert MASK == redact("correlation", PAN)

    def test_leaves_plain_values(self) -> None:
        """Numbers, truth and nothing are written as they are."""
        assert [1, 2.5, True, None] == [redact("n", value) for value in (1, 2.5, True, None)]
