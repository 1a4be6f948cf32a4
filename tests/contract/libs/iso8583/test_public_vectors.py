"""Messages that others published, read through a second dialect of data: all ASCII, no TPDU."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from libs.iso8583 import Codec, FrameReader, load_dialect, request_frame
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec, plain

HERE = Path(__file__).parent / "iso87ascii"
DIALECT = load_dialect(HERE)
VECTORS: list[dict[str, Any]] = tomllib.loads((HERE / "vectors.toml").read_text())["vector"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
class TestVector:
    def test_decodes_to_what_was_published(self, vector: dict[str, Any]) -> None:
        """First met and met before."""
        codec = Codec(DIALECT, reads_answers=True)

        found = [codec.decode(vector["message"].encode()) for _ in range(2)]

        expected = {int(number): value for number, value in vector["fields"].items()}
        for message in found:
            assert vector["message"][:4] == message.mti
            assert expected == {number: plain(value) for number, value in message.fields.items()}
            assert (None, frozenset()) == (message.broken, message.misformed)

    def test_encodes_to_the_same_characters(self, vector: dict[str, Any]) -> None:
        """Back to what was published."""
        fields = {int(number): value for number, value in vector["fields"].items()}
        codec = Codec(DIALECT, reads_answers=True)

        assert vector["message"].encode() == codec.encode(vector["message"][:4], fields)

    def test_agrees_with_pyiso8583(self, vector: dict[str, Any]) -> None:
        """The oracle reads the same."""
        _, fields = Pyiso8583Codec(DIALECT).decode(vector["message"].encode())

        assert {int(number): value for number, value in vector["fields"].items()} == fields

    def test_travels_without_a_tpdu(self, vector: dict[str, Any]) -> None:
        """Two bytes of length and the message."""
        frame = request_frame(b"", vector["message"].encode())

        (found,) = FrameReader(DIALECT.transport.frame).feed(frame)

        assert (b"", vector["message"].encode()) == found


class TestAscii:
    def test_reads_bytes_and_tracks_from_text(self) -> None:
        """A PIN block in hexadecimal, a track with an equals sign."""
        codec = Codec(DIALECT)
        message = b"0200" + b"0020000020801000" + b"000001" + b"21" + b"9360099900000016=3012"
        message += b"LSK00001" + b"A1B2C3D4E5F60718"

        found = codec.decode(message)

        assert "9360099900000016D3012" == plain(found.fields[35])
        assert bytes.fromhex("A1B2C3D4E5F60718") == plain(found.fields[52])
        assert Pyiso8583Codec(DIALECT).decode(message)[1] == {
            number: plain(value) for number, value in found.fields.items()
        }

    @pytest.mark.parametrize(
        "block", [b"A1B2C3D4E5F6071X", b"A1B2C3D4E5F60 18", b"A1 B2 C3D4E5F607"]
    )
    def test_sets_bytes_that_are_no_hexadecimal_aside(self, block: bytes) -> None:
        """A letter beyond F, and blanks that a lenient reader would skip."""
        message = b"0200" + b"0020000000801000" + b"000001" + b"LSK00001" + block

        assert frozenset({52}) == Codec(DIALECT).decode(message).misformed
