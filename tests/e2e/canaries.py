"""Find card numbers, tracks and PIN blocks wherever and however they may have been written."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import NamedTuple

WINDOW = 14
"""Bytes of a hash that are compared: the shortest one that the product stores."""

_HASHES = ("md5", "sha1", "sha256", "sha512", "blake2s")
_BLAKE_SIZES = (14, 16, 20, 32, 64)
_HEX_VALUES = re.compile(rb"\\x([0-9a-f]{28,256})")


class Leak(NamedTuple):
    """Something that should not be where it is."""

    place: str
    canary: str
    form: str


def needles_of_digits(digits: str) -> dict[str, bytes]:
    """Return the forms of a card number; packed digits are sought in the hex of a place."""
    packed = [
        bytes.fromhex(text + fill if len(text + fill) % 2 == 0 else text)
        for text in (digits, "0" + digits, "f" + digits)
        for fill in ("", "0", "f")
        if len(text + fill) % 2 == 0
    ]
    forms = {"ascii": digits.encode(), "hex of ascii": digits.encode().hex().encode()}
    for source in (digits.encode(), *packed):
        forms.update(_base64_of(source))
    return forms


def needles_of_bytes(block: bytes) -> dict[str, bytes]:
    """Return the forms of a PIN block."""
    return {"raw": block, "hex": block.hex().encode(), **_base64_of(block)}


def _base64_of(source: bytes) -> dict[str, bytes]:
    """Return what is sure to stand in a base64 text, for each of three alignments."""
    found = {}
    for shift in range(3):
        text = b64encode(bytes(shift) + source)
        head, tail = (shift * 8 + 5) // 6, (len(source) + shift) % 3
        core = text[head : len(text) - (4 if tail else 0)]
        found[f"base64 of {source.hex()[:4]}.. at {shift}"] = core
    return found


def search(
    places: Mapping[str, bytes], numbers: Iterable[str], blocks: Iterable[bytes]
) -> list[Leak]:
    """Search every place for card numbers and tracks (digits) and for PIN blocks (bytes)."""
    leaks = []
    for place, content in places.items():
        text, hexed = content.lower(), content.hex().encode()
        for digits in numbers:
            packed = digits.replace("=", "d").lower().encode()
            if packed in hexed or packed in text:
                leaks.append(Leak(place, digits, "ascii or packed"))
            leaks.extend(
                Leak(place, digits, form)
                for form, needle in needles_of_digits(digits.replace("=", "d")).items()
                if needle in content or needle.lower() in text
            )
        for block in blocks:
            leaks.extend(
                Leak(place, block.hex(), form)
                for form, needle in needles_of_bytes(block).items()
                if needle in content or (form == "hex" and needle in text)
            )
    return leaks


def unkeyed_hashes(numbers: Iterable[str]) -> dict[bytes, str]:
    """Return the first bytes of every unkeyed hash of these card numbers."""
    found = {}
    for digits in numbers:
        data = digits.encode()
        for name in _HASHES:
            found[hashlib.new(name, data).digest()[:WINDOW]] = digits
        for size in _BLAKE_SIZES:
            found[hashlib.blake2b(data, digest_size=size).digest()[:WINDOW]] = digits
    return found


def search_hashes(places: Mapping[str, bytes], hashes: Mapping[bytes, str]) -> list[Leak]:
    """Compare every window of every place, and of every hex value in it, with unkeyed hashes."""
    leaks: list[Leak] = []
    for place, content in places.items():
        values = [content, *(bytes.fromhex(v.decode()) for v in _HEX_VALUES.findall(content))]
        for value in values:
            windows = (value[at : at + WINDOW] for at in range(len(value) - WINDOW + 1))
            leaks.extend(Leak(place, hashes[w], "unkeyed hash") for w in windows if w in hashes)
    return leaks
