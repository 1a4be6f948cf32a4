"""DE48 as tags: two characters, two digits of length, value; a tag may repeat."""

from collections.abc import Iterable
from typing import Final

TAG_CHARACTERS: Final = 2
LENGTH_DIGITS: Final = 2
VALUE_MAX: Final = 99


def parse_tags(text: str) -> list[tuple[str, str]] | None:
    """Return tags and values in their order; None when the text is no such list."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        start = at + TAG_CHARACTERS + LENGTH_DIGITS
        digits = text[at + TAG_CHARACTERS : start]
        if len(digits) != LENGTH_DIGITS or not (digits.isdigit() and digits.isascii()):
            return None
        end = start + int(digits)
        if end > len(text):
            return None
        found.append((text[at : at + TAG_CHARACTERS], text[start:end]))
        at = end
    return found


def build_tags(tags: Iterable[tuple[str, str]]) -> str:
    """Write tags in the order given."""
    parts = []
    for tag, value in tags:
        assert len(tag) == TAG_CHARACTERS
        assert len(value) <= VALUE_MAX
        parts.append(f"{tag}{len(value):02d}{value}")
    return "".join(parts)
