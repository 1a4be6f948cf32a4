"""The lint: each thing that it looks for is found, and edc has none of them."""

import shutil
from pathlib import Path

import pytest

from libs.iso8583.lint import lint_dialect


@pytest.fixture
def copy(edc: Path, tmp_path: Path) -> Path:
    """Give a copy of edc to spoil."""
    return Path(shutil.copytree(edc, tmp_path / "dialect"))


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "transport.toml",
            "frame_s = 30",
            "frame_s = 90",
            "frame_s is longer than first_message_s",
        ),
        ("transport.toml", "answer_s = 8", "answer_s = 31", "answer_s is longer than frame_s"),
        ("transport.toml", "idle_s = 900", "idle_s = 59", "first_message_s is longer than idle_s"),
        ("transport.toml", "interval_s = 30", "interval_s = 901", "keepalive.interval_s is longer"),
        (
            "fields.toml",
            ', mask = "pan"',
            "",
            "field.2 (Primary account number) must have mask pan",
        ),
        ("fields.toml", ', mask = "track2"', "", "field.35 (Track 2) must have mask track2"),
        ("fields.toml", 'length = 8, mask = "sealed"', "length = 8", "field.52 (PIN block) must"),
        ("messages.toml", '13 = "M E"', '13 = "M"', "message.purchase: the answer lacks the key"),
        ("messages.toml", '39 = "A"\n', "", "message.purchase: the answer lacks DE39"),
        ("response_codes.toml", 'CARD_LOST = "41"', 'CARD_LOST = "00"', "CARD_LOST is sent as 00"),
        ("response_codes.toml", '41 = "card lost"\n', "", "meaning.41 is missing"),
        ("response_codes.toml", 'otherwise = "96"', "", "otherwise: Field required"),
        ("golden/frames.jsonl", '"49":"360"', '"49":"361"', "decodes to other values"),
        ("golden/frames.jsonl", '"mti":"0200"', '"mti":"0100"', "decodes to other values"),
        ("golden/frames.jsonl", '"frame":"0', '"frame":"1', "is not one frame"),
        ("golden/frames.jsonl", '"tpdu":"6000030000"', '"tpdu":"6000030001"', "is not one frame"),
        ("golden/frames.jsonl", '"mti":"0200"', '"mtx":"0200"', "frames.jsonl:1: is no golden"),
        ("golden/frames.jsonl", '"canonical":false', '"canonical":true', "encodes to other bytes"),
        ("golden/frames.jsonl", '"purchase by DE35"', '"purchase by DE2"', "used twice"),
    ],
)
def test_finds(copy: Path, file: str, old: str, new: str, said: str) -> None:
    """One planted mistake, one sentence that names it."""
    path = copy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    problems = lint_dialect(copy)

    assert any(said in problem for problem in problems), problems


def test_finds_a_message_type_without_frame(copy: Path) -> None:
    """Every type that is served is shown once."""
    path = copy / "golden" / "frames.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"mti":"0401"' not in line))

    assert ["golden: no frame shows message type 0401"] == lint_dialect(copy)


def test_finds_what_cannot_be_decoded(copy: Path) -> None:
    """A message that the switch would drop."""
    path = copy / "golden" / "frames.jsonl"
    first, rest = path.read_text().split("\n", 1)
    assert "60000300000200" in first
    path.write_text(first.replace("60000300000200", "60000300001200", 1) + "\n" + rest)

    assert any("cannot be decoded: mti_version" in problem for problem in lint_dialect(copy))
