"""All services in one process on the memory bus: the only place that knows every service."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import SecretStr

from libs.bus import MemoryBus, load_topics, with_partitions
from libs.clock import Clock, SystemClock
from libs.contracts import topics
from libs.observe import Health, Metrics
from libs.web import serve_health
from services.admin import main as admin
from services.admin.settings import Settings as AdminSettings
from services.authorization import main as authorization
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger import main as card_ledger
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.faults import CommandRefused
from services.cli.lifecycle import START_CHECK, Part, Shared
from services.cli.settings import Settings
from services.cli.watch import watch_database, watch_loop
from services.iso_bridge import main as iso_bridge
from services.iso_bridge.settings import Settings as BridgeSettings

TOPICS_FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "topics.toml"


async def _watch_database(on: Shared, over: Mapping[str, Any]) -> None:
    await watch_database(over["postgres"]["dsn"], on.health)


async def _watch_loop(on: Shared, _: Mapping[str, Any]) -> None:
    await watch_loop(on.health, on.clock, on.metrics)


async def _admin(on: Shared, over: Mapping[str, Any]) -> None:
    settings = AdminSettings.model_validate(over)
    await admin.serve(settings, bus=on.bus, clock=on.clock, health=on.health)


async def _card_ledger(on: Shared, over: Mapping[str, Any]) -> None:
    settings = LedgerSettings.model_validate(over)
    await card_ledger.serve(
        settings, bus=on.bus, clock=on.clock, health=on.health, metrics=on.metrics
    )


async def _authorization(on: Shared, over: Mapping[str, Any]) -> None:
    settings = AuthorizationSettings.model_validate(over)
    await authorization.serve(
        settings, bus=on.bus, clock=on.clock, health=on.health, metrics=on.metrics
    )


async def _iso_bridge(on: Shared, over: Mapping[str, Any]) -> None:
    settings = BridgeSettings.model_validate(over)
    await iso_bridge.serve(
        settings,
        bus=on.bus,
        clock=on.clock,
        health=on.health,
        metrics=on.metrics,
        money_stream=on.money_stream,
    )


WATCHES: Final[Sequence[Part]] = (
    Part("database watch", _watch_database, None),
    Part("loop watch", _watch_loop, None),
)
SERVICES: Final[Sequence[Part]] = (
    Part("admin", _admin, "admin.registry"),
    # Terminals are let in only where the books are held: a second process waits here.
    Part("card_ledger", _card_ledger, "card_ledger.leases"),
    Part("authorization", _authorization, "authorization.requests"),
    Part("iso_bridge", _iso_bridge, "iso_bridge.listeners"),
)


def overrides(settings: Settings, dsn: SecretStr) -> dict[str, Any]:
    """Return what this process knows better than the environment."""
    return {"postgres": {"dsn": dsn}, "vault": {"keys_directory": settings.keys_directory}}


def choose_services(names: Sequence[str]) -> list[Part]:
    """Return the named services in their order of starting, all for none."""
    known = [part.name for part in SERVICES]
    if unknown := sorted(set(names) - set(known)):
        message = f"There is no service {', '.join(unknown)}; there are {', '.join(known)}."
        raise CommandRefused(message)
    if names and set(names) != set(known):
        message = (
            "Services in separate processes need Kafka, which this version does not have yet; "
            "on the memory bus all of them run together: lesko serve."
        )
        raise CommandRefused(message)
    return list(SERVICES)


@asynccontextmanager
async def open_shared(
    settings: Settings, over: Mapping[str, Any], *, logs: TextIO
) -> AsyncIterator[tuple[Shared, int]]:
    """Build bus, clock, health and metrics, and serve health; give them and the health port."""
    clock = SystemClock()
    shared = Shared(
        bus=_memory_bus(clock, over),
        clock=clock,
        health=Health(),
        metrics=Metrics(),
        money_stream=logs,
    )
    shared.health.expect(START_CHECK)  # Nothing else is expected yet, and that is not ready.
    web = settings.web
    await shared.bus.start()
    try:
        async with serve_health(
            shared.health, shared.metrics.registry, host=web.host, port=web.port
        ) as port:
            yield shared, port
    finally:
        await shared.bus.stop()


def _memory_bus(clock: Clock, over: Mapping[str, Any]) -> MemoryBus:
    partitions = LedgerSettings.model_validate(over).card_ledger.partitions
    known = load_topics(TOPICS_FILE)
    return MemoryBus(
        with_partitions(known, {topics.COMMANDS: partitions, topics.ENTRIES: partitions}), clock
    )
