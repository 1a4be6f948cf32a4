"""``lesko serve``: the services in the foreground, logs as JSON lines to the output."""

import asyncio
import sys
from functools import partial
from typing import Annotated, TextIO

import structlog
import typer

from libs.observe import configure_logs, steady
from services.cli.bus_choice import bus_title
from services.cli.composition import (
    check_settings,
    choose_services,
    open_shared,
    overrides,
    with_watches,
)
from services.cli.database import need_logins
from services.cli.lifecycle import Part, run_parts
from services.cli.settings import Settings
from services.cli.signals import run_until_stopped
from services.cli.waits import unless_stopped, wait_for_needs

log = structlog.get_logger("cli")


def serve(
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE...]", help="Some of them need Kafka; none: all."),
    ] = None,
    *,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring the tables forward first.")
    ] = False,
) -> None:
    """Run services until Ctrl-C or SIGTERM; they wait for what they need, and drain at the end."""
    settings = Settings()
    parts = choose_services(services or [], settings)
    logs = steady(sys.stdout)
    configure_logs(service="lesko", level=settings.log_level, stream=logs)
    run_until_stopped(partial(_serve, settings, parts, logs, migrate=migrate))


async def _serve(
    settings: Settings,
    parts: list[Part],
    logs: TextIO,
    stop: asyncio.Event,
    *,
    migrate: bool,
) -> None:
    owners = [part.schema for part in parts if part.schema is not None]
    logins = need_logins(settings, owners) if owners else None
    over = overrides(settings, logins)
    check_settings(parts, over)
    names = [part.name for part in parts]
    async with open_shared(settings, parts, logs=logs) as (shared, web_port):
        log.info("starting", services=names, bus=bus_title(settings), web=web_port)
        needs = wait_for_needs(parts, shared, logins, migrate=migrate)
        if await unless_stopped(needs, stop):

            async def say_ready() -> None:
                log.info("ready", services=names, web=web_port)

            await run_parts(
                with_watches(parts, settings, logins),
                shared,
                over,
                stop=stop,
                while_ready=say_ready,
                ready_ms_max=0,
                one_by_one=settings.kafka is None,
            )
    log.info("stopped")
