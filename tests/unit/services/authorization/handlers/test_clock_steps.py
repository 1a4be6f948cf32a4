"""Authorization's host clock is stepped by ten minutes and back while purchases come in."""

from zoneinfo import ZoneInfo

import pytest

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.fakes.cards import (
    A_MOMENT_MS,
    A_TOKEN,
    MemoryCards,
    a_card,
    a_request,
    a_request_record,
)
from libs.fakes.clock import FixedClock
from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.registry import Entry, RegistryView, write_change
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.day import BusinessDays
from services.authorization.handlers.authorize_requests import AuthorizeRequests

TEN_MINUTES_MS = 600_000


@pytest.mark.parametrize("step_ms", [TEN_MINUTES_MS, -TEN_MINUTES_MS])
async def test_a_step_does_not_make_the_registry_old(step_ms: int) -> None:
    """How old the registry is is measured by the clock that cannot jump: purchases go on."""
    clock, view = FixedClock(A_MOMENT_MS), RegistryView()
    entries: list[Entry] = [an_outlet(1), a_terminal(1), a_product()]
    for version, entry in enumerate(entries, start=1):
        view.apply(write_change(entry, version=version, changed_ms=0))
    view.show_current(clock.monotonic_ms())
    handler = AuthorizeRequests(
        cards=MemoryCards({A_TOKEN: a_card()}),
        cache=CardCache(100),
        registry=view,
        clock=clock,
        days=BusinessDays(ZoneInfo("Asia/Jayapura")),
        ledger_partitions=8,
    )

    verdicts = []
    for now_ms in (A_MOMENT_MS, A_MOMENT_MS + step_ms, A_MOMENT_MS):
        clock.jump_to(now_ms)
        [sent] = await handler({0: [a_request_record(a_request())]})
        verdicts.append(LedgerCommand.FromString(sent.value).verdict)

    assert [0, 0, 0] == verdicts
