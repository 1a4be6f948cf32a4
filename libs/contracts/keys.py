"""Business keys and the partitions of records; every writer and reader counts them here."""

from datetime import date
from hashlib import blake2b

from libs.clock import day_number

KEY_BYTES = 16

_PERSON = b"lesko.key.v1"


def business_key(day: date, *parts: str) -> bytes:
    """Return the 128-bit key of one money message: its day, then a hash of what a repeat keeps.

    The day stands first, so that the unique index grows at its right edge. Each part carries its
    length, so that no two lists of parts make the same key (edc.md, Keys: DE41, DE11).
    """
    text = bytearray()
    for part in parts:
        encoded = part.encode()
        text += len(encoded).to_bytes(2, "big") + encoded
    digest = blake2b(text, digest_size=KEY_BYTES - 2, person=_PERSON).digest()
    return day_number(day).to_bytes(2, "big") + digest


def request_partition(card_token: bytes, partitions: int) -> int:
    """Return the partition of authorization.requests for a card."""
    return int.from_bytes(card_token[:2], "big") % partitions


def wallet_partition(wallet: int, partitions: int) -> int:
    """Return the ledger partition that holds a wallet's purses."""
    return wallet % partitions


def unknown_card_partition(key: bytes, card_token: bytes, partitions: int) -> int:
    """Return where a refusal without accounts is stored: by its key, an inquiry by its token."""
    source = key[2:6] if key else card_token[:4]
    return int.from_bytes(source, "big") % partitions
