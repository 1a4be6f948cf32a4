"""Which services there are and what each needs: the only place that knows every service."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, TextIO

from libs.clock import SystemClock
from libs.contracts import topics
from libs.observe import Health, Metrics
from libs.settings import LeskoSettings
from libs.vault import read_token_key
from libs.web import serve_health
from services.admin import main as admin
from services.admin.settings import Settings as AdminSettings
from services.authorization import main as authorization
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger import main as card_ledger
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.background import running
from services.cli.backups import WAL_CHECK, keep_wal
from services.cli.bus_choice import choose_bus
from services.cli.faults import CommandRefused
from services.cli.health_log import HealthLog
from services.cli.lifecycle import START_CHECK, Part, Shared
from services.cli.log_watch import watch_log
from services.cli.logins import OWNERS, LoginMissing, Logins
from services.cli.settings import Settings
from services.cli.waits import topics_of
from services.cli.watch import watch_bus, watch_database, watch_loop
from services.iso_bridge import main as iso_bridge
from services.iso_bridge.settings import Settings as BridgeSettings


async def _admin(on: Shared, over: Mapping[str, Any]) -> None:
    settings = AdminSettings.model_validate(own(over, "admin"))
    await admin.serve(settings, bus=on.bus, clock=on.clock, health=on.health)


async def _card_ledger(on: Shared, over: Mapping[str, Any]) -> None:
    settings = LedgerSettings.model_validate(own(over, "card_ledger"))
    await card_ledger.serve(
        settings, bus=on.bus, clock=on.clock, health=on.health, metrics=on.metrics
    )


async def _authorization(on: Shared, over: Mapping[str, Any]) -> None:
    settings = AuthorizationSettings.model_validate(own(over, "authorization"))
    await authorization.serve(
        settings, bus=on.bus, clock=on.clock, health=on.health, metrics=on.metrics
    )


async def _iso_bridge(on: Shared, over: Mapping[str, Any]) -> None:
    settings = BridgeSettings.model_validate(own(over, "iso_bridge"))
    read_token_key(settings.vault.keys_directory)  # Broken keys are told now, not once all is up.
    await iso_bridge.serve(
        settings,
        bus=on.bus,
        clock=on.clock,
        health=on.health,
        metrics=on.metrics,
        money_stream=on.money_stream,
    )


SERVICES: Final[Sequence[Part]] = (
    Part(
        "admin",
        _admin,
        "admin.registry",
        schema="admin",
        topics=(topics.REGISTRY, topics.REQUESTS, topics.COMMANDS, topics.ADMIN_ANSWERS),
    ),
    # On the memory bus terminals are let in only where the books are held: a second process
    # waits here.
    Part(
        "card_ledger",
        _card_ledger,
        "card_ledger.leases",
        schema="card_ledger",
        topics=(
            topics.COMMANDS,
            topics.dead_letters(topics.COMMANDS),
            topics.ENTRIES,
            topics.BRIDGE_ANSWERS,
            topics.ADMIN_ANSWERS,
        ),
    ),
    Part(
        "authorization",
        _authorization,
        "authorization.requests",
        schema="authorization",
        topics=(
            topics.REQUESTS,
            topics.dead_letters(topics.REQUESTS),
            topics.COMMANDS,
            topics.REGISTRY,
            topics.ADMIN_ANSWERS,
        ),
    ),
    Part(
        "iso_bridge",
        _iso_bridge,
        "iso_bridge.listeners",
        topics=(topics.REQUESTS, topics.BRIDGE_ANSWERS, topics.REGISTRY),
    ),
)
_LOGINS: Final = "logins"
_SETTINGS: Final[Mapping[str, type[LeskoSettings]]] = {
    "admin": AdminSettings,
    "card_ledger": LedgerSettings,
    "authorization": AuthorizationSettings,
    "iso_bridge": BridgeSettings,
}


def overrides(settings: Settings, logins: Logins | None) -> dict[str, Any]:
    """Return what this process knows better than the environment; ``own`` gives each its part."""
    known: dict[str, Any] = {
        "vault": {"keys_directory": settings.keys_directory},
        "heads": {"directory": settings.heads_directory},
    }
    if logins is not None:
        known[_LOGINS] = logins
    if settings.kafka is None:
        # Nobody else can be on this bus, and a send costs nothing.
        known["iso_bridge"] = {"claim_ms": 0, "gather_ms": 0}
    return known


def own(over: Mapping[str, Any], service: str) -> dict[str, Any]:
    """Return what a service's settings are made of, its own login among it; raises LoginMissing."""
    known = {name: value for name, value in over.items() if name != _LOGINS}
    logins: Logins | None = over.get(_LOGINS)
    if logins is not None and service in OWNERS:
        known["postgres"] = {"dsn": logins.of(service)}
    return known


def choose_services(names: Sequence[str], settings: Settings) -> list[Part]:
    """Return the named services in their order of starting, all for none. Raises CommandRefused."""
    known = [part.name for part in SERVICES]
    if unknown := sorted(set(names) - set(known)):
        message = f"There is no service {', '.join(unknown)}; there are {', '.join(known)}."
        raise CommandRefused(message)
    if names and set(names) != set(known) and settings.kafka is None:
        message = (
            "Services in separate processes need Kafka: set LESKO_KAFKA__BOOTSTRAP=host:port. "
            "On the memory bus all of them run together: lesko serve."
        )
        raise CommandRefused(message)
    return [part for part in SERVICES if not names or part.name in names]


def check_settings(parts: Sequence[Part], over: Mapping[str, Any]) -> None:
    """Read what these services read; raises ValidationError for the first that cannot be."""
    for part in parts:
        try:
            known = own(over, part.name)
        except LoginMissing:
            known = {**over, "postgres": {"dsn": over[_LOGINS].base}}  # The rest can be read.
        _SETTINGS[part.name].model_validate(known)


@asynccontextmanager
async def open_shared(
    settings: Settings, parts: Sequence[Part], *, logs: TextIO
) -> AsyncIterator[tuple[Shared, int]]:
    """Build bus, clock, health and metrics, and serve health; give them and the health port.

    The bus is not open yet, see ``wait_for_needs``; leaving closes it.
    """
    clock, health, metrics = SystemClock(), Health(), Metrics()
    health.expect(START_CHECK)  # Nothing else is expected yet, and that is not ready.
    bus = choose_bus(settings, clock, client="-".join(part.name for part in parts))
    shared = Shared(bus=bus, clock=clock, health=health, metrics=metrics, money_stream=logs)
    web = settings.web
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            serve_health(health, metrics.registry, host=web.host, port=web.port)
        )
        stack.push_async_callback(bus.stop)
        await stack.enter_async_context(running(HealthLog(health).run()))
        await stack.enter_async_context(running(watch_log(logs, health)))
        yield shared, port


def with_watches(parts: Sequence[Part], settings: Settings, logins: Logins | None) -> list[Part]:
    """Put what a process watches of its surroundings in front of its services."""
    names = topics_of(parts)

    async def loop(on: Shared, _: Mapping[str, Any]) -> None:
        await watch_loop(on.health, on.clock, on.metrics)

    async def kafka(on: Shared, _: Mapping[str, Any]) -> None:
        await watch_bus(on.bus, names, on.health)

    async def database(on: Shared, _: Mapping[str, Any]) -> None:
        assert logins is not None
        owners = [part.schema for part in parts if part.schema is not None]
        await watch_database(logins.of(owners[0]), on.health)

    found = [Part("loop watch", loop, None)]
    if settings.kafka is not None:
        found.append(Part("bus watch", kafka, None))
    if logins is not None:
        found.append(Part("database watch", database, None))
    directory = settings.backup.directory
    if directory is not None and len(parts) == len(SERVICES):

        async def backup(on: Shared, _: Mapping[str, Any]) -> None:
            on.health.expect(WAL_CHECK)
            report = partial(on.health.report, WAL_CHECK)
            await keep_wal(settings, directory, on.clock, report)

        # Where services are processes of their own, so is the archive: lesko backup wal.
        found.append(Part("backup", backup, None))
    return [*found, *parts]
