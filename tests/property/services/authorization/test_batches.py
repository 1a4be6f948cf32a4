"""Requests in any cuts: how a topic is cut into batches decides nothing."""

import asyncio
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from libs.bus import Outgoing
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested
from libs.fakes.cards import A_MOMENT_MS, MemoryCards, a_card, a_purse, a_request, a_request_record
from libs.fakes.clock import FixedClock
from libs.fakes.registry import a_product, a_programme, a_terminal, an_outlet
from libs.registry import RegistryView, write_change
from services.authorization.domain.card import CardStatus
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.day import BusinessDays
from services.authorization.handlers.authorize_requests import AuthorizeRequests

CARDS = {
    number.to_bytes(16, "big"): a_card(
        wallet=number,
        status=CardStatus(number % 6),
        purses=[a_purse(number)] if number % 2 else [],
    )
    for number in range(8)
}
requests = st.builds(
    lambda operation, card, amount: a_request(
        operation, token=card.to_bytes(16, "big"), amount=amount
    ),
    st.integers(1, 3),
    st.integers(0, 10),  # Some of them nobody has.
    st.integers(1, 200),
)


def a_handler() -> AuthorizeRequests:
    view = RegistryView()
    for entry in (an_outlet(), a_terminal(), a_programme(), a_product(purchase_max_minor=100)):
        view.apply(write_change(entry, version=1, changed_ms=0))
    view.show_current(0)
    return AuthorizeRequests(
        cards=MemoryCards(CARDS),
        cache=CardCache(4),
        registry=view,
        clock=FixedClock(A_MOMENT_MS),
        days=BusinessDays(ZoneInfo("Asia/Jayapura")),
        ledger_partitions=8,
    )


async def handle(cuts: list[list[AuthorizeRequested]]) -> list[Outgoing]:
    handler = a_handler()
    return [
        sent for cut in cuts for sent in await handler({0: [a_request_record(one) for one in cut]})
    ]


@given(asked=st.lists(requests, min_size=1, max_size=12), places=st.sets(st.integers(1, 11)))
def test_cuts_change_nothing(asked: list[AuthorizeRequested], places: set[int]) -> None:
    """One batch, or any other cuts of it, whatever the cache holds: the same commands, all."""
    edges = [0, *sorted(place for place in places if place < len(asked)), len(asked)]
    cuts = [asked[start:end] for start, end in pairwise(edges)]

    whole, cut = asyncio.run(handle([asked])), asyncio.run(handle(cuts))

    assert len(asked) == len(whole)
    assert [sent[:4] for sent in whole] == [sent[:4] for sent in cut]
