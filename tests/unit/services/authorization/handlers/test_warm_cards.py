"""Filling the cache after a start."""

from collections.abc import Mapping

from libs.fakes.cards import MemoryCards, a_card
from libs.outcome import Fault
from libs.pg import StoreUnavailable
from services.authorization.domain.card import Card
from services.authorization.domain.card_cache import CardCache
from services.authorization.handlers.warm_cards import warm_cards


def some_cards(count: int) -> dict[bytes, Card]:
    """Build cards of as many wallets."""
    return {number.to_bytes(2, "big") * 8: a_card(wallet=number) for number in range(1, count + 1)}


class GoneCards(MemoryCards):
    """A store that goes away after the first step."""

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Answer once."""
        if card_id:
            raise StoreUnavailable("gone")
        return await super().read_cards_after(card_id, cards_max)


class TestWarmCards:
    async def test_keeps_every_card_where_its_requests_come(self) -> None:
        """In steps; each is found in the partition of its token."""
        cards, cache = some_cards(7), CardCache(100)
        read = await warm_cards(
            MemoryCards(cards),
            cache,
            held=range(4),
            partitions=4,
            cards_max=50,
            at_once=3,
            stopped=print,
        )

        assert 7 == read == len(cache)
        for token, card in cards.items():
            assert card == cache.find(int.from_bytes(token[:2], "big") % 4, token)

    async def test_keeps_cards_of_partitions_that_are_held_alone(self) -> None:
        """The others belong to another process, which may change them."""
        cards, cache = some_cards(7), CardCache(100)
        kept = await warm_cards(
            MemoryCards(cards),
            cache,
            held={1, 3},
            partitions=4,
            cards_max=50,
            at_once=3,
            stopped=print,
        )

        assert 4 == kept == len(cache)
        for token in cards:
            partition = int.from_bytes(token[:2], "big") % 4
            assert (partition in {1, 3}) == (cache.find(partition, token) is not None)

    async def test_stops_at_its_bound(self) -> None:
        """No more than it may keep."""
        cache = CardCache(100)
        read = await warm_cards(
            MemoryCards(some_cards(7)),
            cache,
            held=range(4),
            partitions=4,
            cards_max=5,
            at_once=3,
            stopped=print,
        )

        assert 5 == read == len(cache)

    async def test_ends_when_the_store_goes_away(self) -> None:
        """It says so and leaves the rest to be read when asked for."""
        told: list[Fault] = []
        read = await warm_cards(
            GoneCards(some_cards(7)),
            CardCache(100),
            held=range(4),
            partitions=4,
            cards_max=50,
            at_once=3,
            stopped=told.append,
        )

        assert (3, [StoreUnavailable]) == (read, [type(fault) for fault in told])
