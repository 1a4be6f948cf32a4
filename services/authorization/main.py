"""Put authorization together: settings, pool, registry, loop. The only composition root."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from libs.bus import Assigned, Bus, LoopSettings, dead_letters, run_batches
from libs.clock import Clock
from libs.contracts.topics import COMMANDS, REQUESTS
from libs.observe import Health, Metrics
from libs.outcome import Fault
from libs.pg import Pool, open_pool
from libs.registry import RegistryFollower, RegistryView
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.card_rows import CardRow, CardShown, PurseRow
from services.authorization.domain.day import BusinessDays
from services.authorization.handlers.authorize_requests import AuthorizeRequests
from services.authorization.handlers.command_cards import CommandCards
from services.authorization.handlers.forget_commands import forget_commands
from services.authorization.handlers.serve_requests import ServeRequests
from services.authorization.handlers.set_aside import SetAside
from services.authorization.handlers.warm_cards import warm_cards
from services.authorization.handlers.watch_assignments import AssignmentWatch
from services.authorization.settings import Settings
from services.authorization.store.card_commands import CardCommandStore
from services.authorization.store.cards import CardStore

MIGRATIONS = Path(__file__).parent / "migrations"
_GROUP = "authorization"
_REQUESTS_CHECK = "authorization.requests"
_REGISTRY_CHECK = "authorization.registry"
_PARTITIONS_CHECK = "authorization.partitions"
_FORGET_EVERY_S = 3_600

log = structlog.get_logger("authorization")


class PartitionsDiffer(Fault):
    """The commands topic and our settings count ledger partitions differently."""


async def serve(
    settings: Settings, *, bus: Bus, clock: Clock, health: Health, metrics: Metrics | None = None
) -> None:
    """Serve until cancelled; the batch in hand is finished. Raises PartitionsDiffer."""
    health.expect(_REGISTRY_CHECK)
    health.expect(_REQUESTS_CHECK)
    health.expect(_PARTITIONS_CHECK)
    await _check_partitions(settings, bus)
    view = RegistryView()
    follower = RegistryFollower(
        bus=bus, view=view, clock=clock, report=partial(health.report, _REGISTRY_CHECK)
    )
    async with (
        open_pool(
            settings.postgres.dsn,
            name="authorization",
            size=settings.authorization.pool_size_max,
            seqscan=False,
        ) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(follower.run())
        await follower.filled()  # Before: every terminal would be refused, and that is stored.
        partitions = (await bus.topic(REQUESTS)).partitions
        cards = CardStore(pool)
        cache = CardCache(settings.authorization.cards_kept_max // partitions)
        handler = _handler(settings, clock, view, cards, cache)
        holding = _Holding(settings, cards, cache, handler, partitions, tasks)
        watch = AssignmentWatch(
            clock,
            partial(health.report, _PARTITIONS_CHECK),
            slot=settings.authorization.slot,
        )
        holding.note = watch.note
        tasks.create_task(watch.run())
        desk = CardCommandStore(pool)
        tasks.create_task(_keep_forgetting(desk, clock))
        both = ServeRequests(handler, _commands(settings, desk, cache, clock, partitions))
        await _serve_requests(settings, bus, clock, health, metrics or Metrics(), both, holding)


class _Holding:
    """What must happen when request partitions are given to us."""

    def __init__(
        self,
        settings: Settings,
        cards: CardStore,
        cache: CardCache,
        handler: AuthorizeRequests,
        partitions: int,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._tasks = tasks
        self._cards = cards
        self._cache = cache
        self._handler = handler
        self._partitions = partitions
        self._cards_max = settings.authorization.cards_kept_max // 2
        self._warming: asyncio.Task[int] | None = None
        self.note: Assigned = lambda _: None

    def __call__(self, held: frozenset[int]) -> None:
        """Begin anew with all partitions: even one that we had may have been elsewhere since."""
        if self._warming is not None:
            self._warming.cancel()
        self._handler.forget_cards(range(self._partitions))
        log.info("partitions_assigned", partitions=sorted(held))
        self.note(held)
        self._warming = self._tasks.create_task(
            warm_cards(
                self._cards,
                self._cache,
                held=held,
                partitions=self._partitions,
                cards_max=self._cards_max if held else 0,
                stopped=_log_stopped,
            )
        )


async def _check_partitions(settings: Settings, bus: Bus) -> None:
    ours, theirs = settings.card_ledger.partitions, (await bus.topic(COMMANDS)).partitions
    if ours != theirs:
        raise PartitionsDiffer(
            f"{COMMANDS} has {theirs} partitions, the settings say {ours}:"
            f" set LESKO_CARD_LEDGER__PARTITIONS={theirs}"
        )


async def _keep_forgetting(desk: CardCommandStore, clock: Clock) -> None:
    while True:
        try:
            await forget_commands(desk, clock)
        except Fault as fault:
            log.warning("commands_not_forgotten", fault=type(fault).__name__)
        await asyncio.sleep(_FORGET_EVERY_S)


def _log_stopped(fault: Fault) -> None:
    log.warning("warming_stopped", fault=type(fault).__name__)


def _handler(
    settings: Settings, clock: Clock, view: RegistryView, cards: CardStore, cache: CardCache
) -> AuthorizeRequests:
    return AuthorizeRequests(
        cards=cards,
        cache=cache,
        registry=view,
        clock=clock,
        days=BusinessDays(ZoneInfo(settings.card_ledger.business_zone)),
        ledger_partitions=settings.card_ledger.partitions,
    )


def _commands(
    settings: Settings, desk: CardCommandStore, cache: CardCache, clock: Clock, partitions: int
) -> CommandCards:
    return CommandCards(
        desk,
        cache,
        clock,
        request_partitions=partitions,
        ledger_partitions=settings.card_ledger.partitions,
    )


async def _serve_requests(
    settings: Settings,
    bus: Bus,
    clock: Clock,
    health: Health,
    metrics: Metrics,
    handler: ServeRequests,
    assigned: Assigned,
) -> None:
    report = partial(health.report, _REQUESTS_CHECK)
    member = f"{socket.gethostname()}-{settings.authorization.slot}"
    reader = await bus.open_group_reader(REQUESTS, group=_GROUP, member=member, assigned=assigned)
    try:
        report(None)
        await run_batches(
            reader,
            bus,
            handler,
            poison=SetAside(dead_letters(clock)),
            report=report,
            settings=LoopSettings(
                records_max=settings.authorization.batch_records_max,
                send_timeout_ms=settings.authorization.send_timeout_ms,
            ),
            figures=metrics.loop_figures(REQUESTS),
        )
    finally:
        await reader.close()


async def import_cards(
    settings: Settings, cards: Sequence[CardRow], purses: Sequence[PurseRow]
) -> int:
    """Write cards that are not there yet, all or none; return how many were new. Idempotent.

    For installations and demos: their accounts must be open already. Raises CardsDiffer.
    """
    async with _open_desk(settings) as pool:
        return await CardStore(pool).write_cards(cards, purses)


async def count_cards(settings: Settings, tokens: Sequence[bytes]) -> int:
    """Return how many of these cards are there."""
    async with _open_desk(settings) as pool:
        return len(await CardStore(pool).read_cards(tokens))


async def show_card(settings: Settings, token: bytes) -> CardShown | None:
    """Return one card for people; None when there is none."""
    async with _open_desk(settings) as pool:
        return await CardStore(pool).read_card_by_token(token)


def _open_desk(settings: Settings) -> AbstractAsyncContextManager[Pool]:
    return open_pool(
        settings.postgres.dsn, name="authorization desk", size=1, statement_timeout_ms=60_000
    )
