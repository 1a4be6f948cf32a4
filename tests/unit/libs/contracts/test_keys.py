"""Business keys and where records go."""

from datetime import date

from libs.contracts.keys import (
    business_key,
    request_partition,
    unknown_card_partition,
    wallet_partition,
)

DAY = date(2026, 11, 24)


def test_is_the_same_for_a_repeat() -> None:
    """Terminal, trace number and date decide, nothing else: a repeat finds its first."""
    assert business_key(DAY, "LSK00001", "000042") == business_key(DAY, "LSK00001", "000042")


def test_has_its_day_in_front() -> None:
    """16 bytes, day number first, so that the index grows at its right edge."""
    key = business_key(DAY, "LSK00001", "000042")

    assert len(key) == 16
    assert int.from_bytes(key[:2], "big") == 20_781


def test_stays_what_stored_rows_hold() -> None:
    """A changed recipe would make yesterday's repeats new purchases."""
    assert business_key(DAY, "LSK00001", "000042").hex() == "512d2b3a6d4239ac44bb3564245c78f9"


def test_differs_on_the_next_day() -> None:
    """The same trace number tomorrow is a new purchase, in the hash as well as in the day."""
    today = business_key(DAY, "LSK00001", "000042")
    tomorrow = business_key(date(2026, 11, 25), "LSK00001", "000042")

    assert today[:2] != tomorrow[:2]


def test_same_day_of_another_year_is_another_key() -> None:
    """The year is part of the key although the wire does not carry it."""
    assert business_key(DAY, "T", "1") != business_key(date(2027, 11, 24), "T", "1")


def test_parts_cannot_flow_into_each_other() -> None:
    """Lengths stand in front: a digit that moves over a border changes the key."""
    assert business_key(DAY, "LSK0000", "1000042") != business_key(DAY, "LSK00001", "000042")


def test_requests_go_by_card_and_commands_by_wallet() -> None:
    """All requests of a card and all commands of a wallet keep their order."""
    assert request_partition(bytes.fromhex("0109") + bytes(14), 8) == 1
    assert wallet_partition(17, 8) == 1


def test_unknown_cards_go_by_key_and_their_inquiries_by_token() -> None:
    """A repeated refusal meets its first in the same partition; an inquiry has no key."""
    key = bytes.fromhex("ffff00000005") + bytes(10)
    token = bytes.fromhex("00000006") + bytes(12)

    assert unknown_card_partition(key, token, 8) == 5
    assert unknown_card_partition(b"", token, 8) == 6
