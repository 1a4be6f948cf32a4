"""The edc dialect, its codec, and the fields of a usual purchase to change from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from libs.iso8583 import Codec, Dialect, FieldValue, load_dialect

Build = Callable[..., dict[int, FieldValue]]

PURCHASE: dict[int, FieldValue] = {
    2: "9360099900000016",
    3: "000000",
    4: "000005000000",
    11: "000001",
    12: "101500",
    13: "1124",
    22: "051",
    24: "003",
    41: "LSK00001",
    42: "BUMA00000000001",
    49: "360",
}


@pytest.fixture(scope="session")
def edc() -> Path:
    """Give the directory of the edc dialect."""
    return Path(__file__).parents[4] / "proto" / "iso8583" / "edc"


@pytest.fixture(scope="session")
def dialect(edc: Path) -> Dialect:
    """Give the edc dialect."""
    return load_dialect(edc)


@pytest.fixture
def codec(dialect: Dialect) -> Codec:
    """Give a codec that has met no message yet."""
    return Codec(dialect)


@pytest.fixture
def a_purchase() -> Build:
    """Give a builder: ``a_purchase({4: None}, ...)``; None leaves a field out."""

    def build(changes: dict[int, FieldValue | None] | None = None) -> dict[int, FieldValue]:
        fields = {**PURCHASE, **(changes or {})}
        return {number: value for number, value in fields.items() if value is not None}

    return build
