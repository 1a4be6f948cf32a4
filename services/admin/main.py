"""Put admin together: settings, pool, relay. The only composition root."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from libs.bus import Bus
from libs.clock import Clock
from libs.observe import Health
from libs.outcome import Fault
from libs.pg import open_pool
from services.admin.handlers.publish_registry import PublishRegistry
from services.admin.settings import Settings
from services.admin.store.registry import RegistryStore
from services.admin.store.relay import PostgresRelay

MIGRATIONS = Path(__file__).parent / "migrations"
REGISTRY_CHECK = "admin.registry"


async def serve(settings: Settings, *, bus: Bus, clock: Clock, health: Health) -> None:
    """Publish the registry, then its changes, until cancelled.

    The health check ``admin.registry`` is good as soon as everything was published once. A fault
    is reported and tried again: admin being down stops nobody.
    """
    health.expect(REGISTRY_CHECK)
    knobs = settings.admin
    relay = PostgresRelay(settings.postgres.dsn)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(settings.postgres.dsn, name="admin", size=knobs.pool_size_max)
        )
        stack.push_async_callback(relay.close)
        publish = PublishRegistry(
            RegistryStore(pool),
            relay,
            bus,
            clock,
            rows_max=knobs.rows_max,
            send_timeout_ms=knobs.send_timeout_ms,
            again_every_ms=knobs.publish_again_every_ms,
        )
        await _keep_publishing(publish, health, every_ms=knobs.relay_every_ms)


async def _keep_publishing(publish: PublishRegistry, health: Health, *, every_ms: int) -> None:
    log = structlog.get_logger("admin")
    while True:
        try:
            published = await publish()
        except Fault as fault:
            health.report(REGISTRY_CHECK, f"the registry cannot be published: {fault}")
        else:
            health.report(REGISTRY_CHECK, None)
            if published:
                log.info("registry_published", records=published)
        await asyncio.sleep(every_ms / 1_000)
