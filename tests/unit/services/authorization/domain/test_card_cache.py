"""Kept cards: bounded, by partition, forgotten when a partition comes."""

from libs.fakes.cards import a_card
from services.authorization.domain.card_cache import CardCache


def a_token(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_finds_what_was_added() -> None:
    """A card is found under its token in its own partition only."""
    cache = CardCache(10)
    cache.add(1, {a_token(1): a_card()})

    assert a_card() == cache.find(1, a_token(1))
    assert cache.find(2, a_token(1)) is None
    assert cache.find(1, a_token(2)) is None


def test_stays_within_its_bound() -> None:
    """However many cards come, no partition keeps more than its bound."""
    cache = CardCache(10)
    for number in range(1_000):
        cache.add(1, {a_token(number): a_card()})
        assert len(cache) <= 10

    assert len(cache) >= 5
    assert cache.find(1, a_token(999)) is not None


def test_keeps_what_is_used() -> None:
    """A card that buys now and then outlives any number of strangers."""
    cache = CardCache(10)
    cache.add(1, {a_token(0): a_card()})
    for number in range(1, 100):
        assert cache.find(1, a_token(0)) is not None
        cache.add(1, {a_token(number): a_card()})
        assert len(cache) <= 10


def test_forgets_the_partitions_that_it_is_told() -> None:
    """A partition that was assigned anew is read anew, its neighbours are not."""
    cache = CardCache(2)
    for number in range(4):
        cache.add(1, {a_token(number): a_card()})
        cache.add(2, {a_token(number): a_card()})

    cache.forget([1, 9])

    assert not [number for number in range(4) if cache.find(1, a_token(number))]
    assert cache.find(2, a_token(3)) is not None
