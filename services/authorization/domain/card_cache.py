"""Cards that were read, kept by request partition and bounded; unknown ones are not kept."""

from collections.abc import Iterable, Mapping

from services.authorization.domain.card import Card


class CardCache:
    """Two generations in each partition: the older one leaves when the younger has grown up.

    So between half of ``cards_max`` and all of it is kept, and no step costs more than one card.
    Cards belong to whoever holds their partition (DESIGN 7): forget a partition when it is
    assigned, for another process may have changed its cards in between.
    """

    def __init__(self, cards_max: int) -> None:
        """Keep at most ``cards_max`` cards in each partition."""
        self._young_max = max(1, cards_max // 2)
        self._young: dict[int, dict[bytes, Card]] = {}
        self._old: dict[int, dict[bytes, Card]] = {}
        self.drops = 0  # Cards that were changed: what was read before one may be out of date.

    def find(self, partition: int, token: bytes) -> Card | None:
        """Return a card that is kept; one that is used stays young."""
        young = self._young.get(partition)
        if young is None:
            return None
        card = young.get(token)
        if card is None:
            card = self._old[partition].get(token)
            if card is not None:
                self.add(partition, {token: card})
        return card

    def add(self, partition: int, cards: Mapping[bytes, Card]) -> None:
        """Keep these cards."""
        young = self._young.setdefault(partition, {})
        self._old.setdefault(partition, {})
        for token, card in cards.items():
            if len(young) >= self._young_max:
                self._old[partition] = young
                young = self._young[partition] = {}
            young[token] = card

    def drop(self, partition: int, token: bytes) -> None:
        """Drop one card, which was changed."""
        self.drops += 1
        for generation in (self._young, self._old):
            generation.get(partition, {}).pop(token, None)

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop all cards of these partitions."""
        for partition in partitions:
            self._young.pop(partition, None)
            self._old.pop(partition, None)

    def __len__(self) -> int:
        kept = 0
        for partition, young in self._young.items():
            kept += len(young.keys() | self._old[partition].keys())
        return kept
