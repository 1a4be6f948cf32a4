"""A dialect's directory: what is read from it, and the sentence that refuses a wrong one."""

import shutil
from pathlib import Path

import pytest

from libs.iso8583 import Codec, Dialect, DialectBroken, load_dialect
from libs.outcome import Outcome


@pytest.fixture
def copy(edc: Path, tmp_path: Path) -> Path:
    """Give a copy of edc to break."""
    return Path(shutil.copytree(edc, tmp_path / "dialect"))


def change(directory: Path, file: str, old: str, new: str) -> None:
    """Replace one text in one file, which must be there."""
    path = directory / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


class TestLoad:
    def test_reads_edc(self, dialect: Dialect) -> None:
        """The defaults of edc.md."""
        wire = dialect.transport

        assert "edc" == dialect.name
        assert (4096, 5, 0x60, 10) == (
            wire.frame.length_max,
            wire.frame.tpdu_bytes,
            wire.frame.tpdu_id,
            wire.frame.message_min,
        )
        assert ("127.0.0.1", 8583, "Asia/Jayapura") == (wire.host, wire.port, wire.zone)
        assert (60_000, 30_000, 900_000, 8_000) == (
            wire.first_message_ms,
            wire.frame_ms,
            wire.idle_ms,
            wire.answer_ms,
        )
        assert (30_000, 3) == (wire.keepalive_interval_ms, wire.keepalive_count)
        assert (10, False) == (wire.dropped_in_a_row_max, wire.sign_on_required)
        assert ((41, 11, 13), (2, 3, 4, 42, 37)) == (dialect.messages.key, dialect.messages.content)

    def test_reads_it_from_anywhere(self, copy: Path, dialect: Dialect) -> None:
        """The directory is a parameter, and its content has one digest."""
        assert dialect.digest == load_dialect(copy).digest
        change(copy, "transport.toml", "port = 8583", "port = 9000")
        assert dialect.digest != load_dialect(copy).digest

    def test_cannot_be_changed(self, dialect: Dialect) -> None:
        """A dialect is shared by all connections."""
        with pytest.raises(TypeError):
            dialect.fields[2] = dialect.fields[3]  # type: ignore[index]  # That is the point.
        with pytest.raises(AttributeError):
            dialect.name = "other"  # type: ignore[misc]  # That is the point.

    def test_sends_an_outcome_without_a_row_as_otherwise(self, copy: Path) -> None:
        """A refusal that a partner's table does not know is still a refusal."""
        change(copy, "response_codes.toml", 'CARD_LOST = "41"\n', "")

        assert "96" == load_dialect(copy).response_code(Outcome.CARD_LOST)

    def test_overrides_a_code(self, copy: Path) -> None:
        """A partner's table wins over the catalogue."""
        change(copy, "response_codes.toml", 'CARD_LOST = "41"', 'CARD_LOST = "62"')

        assert "62" == load_dialect(copy).response_code(Outcome.CARD_LOST)

    def test_leaves_the_extent_of_an_unknown_field_open(self, copy: Path) -> None:
        """A bit that no row describes breaks the message there."""
        change(copy, "fields.toml", '63 = { name = "Private", ', '127 = { name = "Private", ')
        change(copy, "fields.toml", '127 = { name = "Reserved, private", ', '# 127 = { name = "" ')
        codec = Codec(load_dialect(copy))
        message = bytes.fromhex("0800" + "0020000000800002" + "000001" + b"LSK00001".hex() + "0000")

        found = codec.decode(message)

        assert ("field_unknown", 63) == (found.broken, found.broken_field)


class TestBroken:
    @pytest.mark.parametrize(
        ("file", "old", "new", "said"),
        [
            ("transport.toml", "length_max = 4096", "length_max = -1", "frame.length_max: Input"),
            ("transport.toml", "answer_s = 8", "answer_s = 0", "deadlines.answer_s: Input"),
            ("transport.toml", "port = 8583", 'port = "x"', "listener.port: Input"),
            ("transport.toml", "port = 8583\n", "", "listener.port: Field required"),
            ("transport.toml", "port = 8583", "port = 8583\nbacklog = 1", "backlog: Extra inputs"),
            ("transport.toml", "Asia/Jayapura", "Asia/Nowhere", "listener.zone: there is no time"),
            ("transport.toml", "[frame]", "[frame", "is not TOML"),
            ("fields.toml", 'class = "n", length = 6 }', 'class = "q", length = 6 }', "3.class: "),
            ("fields.toml", ", length = 19,", ", length = 1000,", "field.2.length: Input"),
            ("fields.toml", 'length = 19, style = "LL"', 'length = 100, style = "LL"', ".2: LL"),
            ("fields.toml", ', pad = "right", accept = "0F", mask = "pan"', "", "2: needs pad"),
            ("fields.toml", "length = 9 }", "length = 8 }", "field.28: a sign"),
            ("fields.toml", '35 = { name = "Track 2", class = "z"',
             '35 = { name = "Track 2", class = "ans"', "field.35: track 2 has class z"),
            ("fields.toml", 'class = "n", length = 19', 'class = "ans", length = 19',
             "field.2: a card number has class n"),
            ("fields.toml", 'length = 4, format = "MMDD"', 'length = 6, format = "MMDD"',
             "field.13: MMDD has 4"),
            ("fields.toml", 'length = 6, format = "hhmmss"', 'length = 4, format = "hhmmss"',
             "field.12: hhmmss has 6"),
            ("fields.toml", "66 = {", "65 = {", "field.65: is the bit of a third bitmap"),
            ("fields.toml", "66 = {", "129 = {", "129"),
            ("messages.toml", '35 = "C"', '35 = "X"', "message.purchase.fields.35"),
            ("messages.toml", '35 = "C"', '35 = ""', "message.purchase.fields.35"),
            ("messages.toml", 'kind = "purchase"', 'kind = "sale"', "message.purchase.kind"),
            ("messages.toml", 'processing = ["31"]', 'processing = ["00"]', "claims 0200 too"),
            ("messages.toml", 'mti = ["0800"]', 'mti = ["0400"]', "claims 0400 too"),
            ("messages.toml", 'otherwise = "unknown"', 'otherwise = "none"', "fallback.otherwise"),
            ("messages.toml", 'otherwise = "unknown"', "", "fallback.otherwise"),
            ("messages.toml", '0100 = "inquiry"', '0100 = "none"', "fallback.0100: there is no"),
            ("messages.toml", 'kind = "network"', 'kind = "inquiry"', "actions belong"),
            ("response_codes.toml", 'otherwise = "96"', "", "otherwise: Field required"),
            ("response_codes.toml", 'CARD_LOST = "41"', 'CARD_EATEN = "41"', "no such outcome"),
            ("response_codes.toml", 'CARD_LOST = "41"', 'CARD_LOST = "4"', "outcome.CARD_LOST"),
        ],
    )  # fmt: skip
    def test_names_file_place_and_trouble(
        self, copy: Path, file: str, old: str, new: str, said: str
    ) -> None:
        """One sentence, by which a bank engineer finds the line."""
        change(copy, file, old, new)

        with pytest.raises(DialectBroken) as caught:
            load_dialect(copy)

        assert str(copy / file) in str(caught.value)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_names_a_field_without_form(self, copy: Path) -> None:
        """A message may only list fields whose form is known."""
        change(copy, "fields.toml", "62 = {", "#62 = {")

        with pytest.raises(DialectBroken, match=r"message\.purchase\.fields\.62"):
            load_dialect(copy)

    @pytest.mark.parametrize(
        "file", ["transport.toml", "fields.toml", "messages.toml", "response_codes.toml"]
    )
    def test_names_a_missing_file(self, copy: Path, file: str) -> None:
        """All four must be there."""
        (copy / file).unlink()

        with pytest.raises(DialectBroken, match=f"{file}: cannot be read"):
            load_dialect(copy)

    def test_names_a_file_that_is_no_text(self, copy: Path) -> None:
        """Bytes that are no UTF-8."""
        (copy / "fields.toml").write_bytes(b"\xff\xfe")

        with pytest.raises(DialectBroken, match=r"fields\.toml: is not TOML"):
            load_dialect(copy)
