"""Fill the card cache in the background: the first hour with a partition is no slower."""

import asyncio
from collections.abc import Callable, Container

from libs.contracts.keys import request_partition
from libs.outcome import Fault
from services.authorization.domain.card_cache import CardCache
from services.authorization.ports import Cards


async def warm_cards(
    cards: Cards,
    cache: CardCache,
    *,
    held: Container[int],
    partitions: int,
    cards_max: int,
    at_once: int = 200,
    stopped: Callable[[Fault], None],
) -> int:
    """Keep those of the first ``cards_max`` cards by id that belong to partitions that are held.

    Returns how many were kept. Works in small steps and lets others go first between them. Trouble
    with the store ends it and is told to ``stopped``: whoever is missing is read when first asked
    for. Where a card was changed while we read, that step is read again: nothing older than the
    change gets in.
    """
    read, kept, last_id = 0, 0, 0
    while read < cards_max:
        drops = cache.drops
        try:
            found = await cards.read_cards_after(last_id, min(at_once, cards_max - read))
        except Fault as fault:
            stopped(fault)
            break
        if cache.drops != drops:
            await asyncio.sleep(0)
            continue
        if not found:
            break
        for token, card in found.items():
            partition = request_partition(token, partitions)
            if partition in held:
                cache.add(partition, {token: card})
                kept += 1
            last_id = max(last_id, card.card_id)
        read += len(found)
        await asyncio.sleep(0)
    return kept
