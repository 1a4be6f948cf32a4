"""Put admin together: settings, pool, relay. The only composition root."""

import asyncio
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

MIGRATIONS = Path(__file__).parent / "migrations"
REGISTRY_CHECK = "admin.registry"


async def serve(settings: Settings, *, bus: Bus, clock: Clock, health: Health) -> None:  # noqa: ARG001 -- every service is served alike
    """Publish the registry, then its changes, until cancelled.

    The health check ``admin.registry`` is good as soon as everything was published once. A fault
    is reported and tried again: admin being down stops nobody.
    """
    health.expect(REGISTRY_CHECK)
    log = structlog.get_logger("admin")
    knobs = settings.admin
    async with open_pool(settings.postgres.dsn, name="admin", size=knobs.pool_size_max) as pool:
        publish = PublishRegistry(
            RegistryStore(pool),
            bus,
            rows_max=knobs.rows_max,
            send_timeout_ms=knobs.send_timeout_ms,
        )
        while True:
            try:
                published = await publish()
            except Fault as fault:
                health.report(REGISTRY_CHECK, f"the registry cannot be published: {fault}")
            else:
                health.report(REGISTRY_CHECK, None)
                if published:
                    log.info("registry_published", records=published)
            await asyncio.sleep(knobs.relay_every_ms / 1_000)
