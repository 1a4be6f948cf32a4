"""``lesko serve``: the services in the foreground, logs as JSON lines to the output."""

import asyncio
import sys
from functools import partial
from typing import Annotated

import structlog
import typer

from libs.observe import configure_logs
from services.cli.database import need_dsn, need_schema, wait_for_database
from services.cli.embedded import WATCHES, choose_services, open_shared, overrides
from services.cli.lifecycle import Part, run_in_order
from services.cli.settings import Settings
from services.cli.signals import run_until_stopped
from services.cli.store.schemas import migrate_all

log = structlog.get_logger("cli")


def serve(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE...]", help="None: all, embedded.")
    ] = None,
    *,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring the tables forward first.")
    ] = False,
) -> None:
    """Run services until Ctrl-C or SIGTERM; waits for the database, then drains at the end."""
    settings = Settings()
    parts = choose_services(services or [])
    configure_logs(service="lesko", level=settings.log_level, stream=sys.stdout)
    run_until_stopped(partial(_serve, settings, parts, migrate=migrate))


async def _serve(
    settings: Settings,
    parts: list[Part],
    stop: asyncio.Event,
    *,
    migrate: bool,
) -> None:
    dsn = need_dsn(settings)
    if not await wait_for_database(dsn, stop):
        return
    if migrate:
        await migrate_all(dsn.get_secret_value())
    await need_schema(dsn)
    over = overrides(settings, dsn)
    async with open_shared(settings, over, logs=sys.stdout) as (shared, web_port):
        log.info("starting", services=[part.name for part in parts], bus="memory", web=web_port)

        async def say_ready() -> None:
            log.info("ready", edc=settings.iso_bridge.port, web=web_port)

        await run_in_order(
            (*WATCHES, *parts), shared, over, stop=stop, while_ready=say_ready, ready_ms_max=0
        )
    log.info("stopped")
