"""What a tenure remembers beside its balances."""

from services.card_ledger.handlers.tenure import RecentKeys


def keys(first: int, count: int) -> list[bytes]:
    """Return distinct keys."""
    return [number.to_bytes(16, "big") for number in range(first, first + count)]


def test_remembers_at_least_the_last_generation() -> None:
    """A key that was stored less than a generation ago is looked up at once when it comes again."""
    recent = RecentKeys(young_max=10)
    for first in range(0, 100, 4):
        recent.add(keys(first, 4))

        assert all(key in recent for key in keys(max(0, first - 6), 4))


def test_forgets_what_is_two_generations_old() -> None:
    """Memory stays bounded however long a tenure lasts."""
    recent = RecentKeys(young_max=10)
    for first in range(0, 40, 10):
        recent.add(keys(first, 10))

    assert not any(key in recent for key in keys(0, 30))
    assert all(key in recent for key in keys(30, 10))
