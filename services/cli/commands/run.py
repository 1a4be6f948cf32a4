"""``lesko run``: the whole switch on this machine, from nothing to a purchase that was answered."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from libs.clock import SystemClock
from libs.observe import configure_logs, steady
from libs.outcome import Fault
from services.cli.composition import SERVICES, open_shared, overrides, with_watches
from services.cli.database import need_dsn
from services.cli.faults import CommandRefused
from services.cli.lifecycle import run_parts
from services.cli.local import Database, open_database, prepare
from services.cli.local_bus import open_bus
from services.cli.logins import Logins
from services.cli.screen import screen, write_table
from services.cli.seeding.fill import SeedOrder
from services.cli.seeding.plan import DemoRules
from services.cli.seeding.rules import read_rules
from services.cli.settings import Settings
from services.cli.signals import run_until_stopped
from services.cli.standing import leave_standing
from services.cli.tcp_ports import need_free_port
from services.cli.waits import unless_stopped, wait_for_needs
from services.cli.walk import show_walk, walk_purchase


def run(
    *,
    cards: Annotated[int, typer.Option(min=1, help="Demo cards.")] = 1_000,
    outlets: Annotated[int, typer.Option(min=1, max=99_999, help="Demo outlets.")] = 50,
    kafka: Annotated[
        bool,
        typer.Option("--kafka", help="On Kafka: LESKO_KAFKA__BOOTSTRAP, else a broker of our own."),
    ] = False,
    empty: Annotated[
        bool, typer.Option("--empty", help="Without demo data and purchase: docs/first-day.md.")
    ] = False,
) -> None:
    """Start everything on this machine, send one real purchase, stay up until Ctrl-C."""
    settings = Settings()
    _need_free_ports(settings)
    order = None if empty else _order(cards, outlets)
    with _open_log(settings.home) as file:
        log = steady(file)
        configure_logs(service="lesko", level=settings.log_level, stream=log)
        run_until_stopped(partial(_run, settings, order, log, kafka=kafka))
        screen().print("Stopped.")


def _order(cards: int, outlets: int) -> SeedOrder:
    return SeedOrder(cards=cards, outlets=outlets, first_serial=1, own_minor=None, with_keys=False)


def _need_free_ports(settings: Settings) -> None:
    bridge, web, admin = settings.iso_bridge, settings.web, settings.admin
    need_free_port(bridge.host, bridge.port, what="EDC terminals", setting="LESKO_ISO_BRIDGE__PORT")
    need_free_port(web.host, web.port, what="health and metrics", setting="LESKO_WEB__PORT")
    need_free_port("127.0.0.1", admin.port, what="operators", setting="LESKO_ADMIN__PORT")


async def _run(
    settings: Settings, order: SeedOrder | None, log: TextIO, stop: asyncio.Event, *, kafka: bool
) -> None:
    rules, console = read_rules(), screen()
    say = partial(_say, console)
    async with open_database(settings, say) as database:
        logins = await prepare(settings, rules, order, database, say)
        async with open_bus(settings, on_kafka=kafka, say=say) as (chosen, bus):
            if stop.is_set():
                return
            known = chosen.model_copy(
                update={"postgres": settings.postgres.model_copy(update={"dsn": database.dsn})}
            )
            walk = None if order is None else rules
            greet = partial(_greet, known, walk, database, bus, console)
            await _serve(known, logins, log, stop, greet, say)
            say("Stopping ...")


async def _serve(
    settings: Settings,
    logins: Logins,
    log: TextIO,
    stop: asyncio.Event,
    greet: Callable[[int], Awaitable[None]],
    say: Callable[[str], None],
) -> None:
    over, dsn = overrides(settings, logins), need_dsn(settings)
    bootstrap = None if settings.kafka is None else settings.kafka.bootstrap
    async with open_shared(settings, SERVICES, logs=log) as (shared, web_port):
        say("Starting the services ...")
        needs = wait_for_needs(SERVICES, shared, logins, migrate=False)
        if not await unless_stopped(needs, stop):
            return
        with leave_standing(settings.home, dsn, settings.iso_bridge.port, bootstrap):
            await run_parts(
                with_watches(SERVICES, settings, logins),
                shared,
                over,
                stop=stop,
                while_ready=partial(greet, web_port),
                ready_ms_max=settings.ready_ms_max,
                one_by_one=settings.kafka is None,
            )


async def _greet(
    settings: Settings,
    rules: DemoRules | None,
    database: Database,
    bus: str,
    console: Console,
    web_port: int,
) -> None:
    bridge, web = settings.iso_bridge, settings.web
    if rules is not None:
        await _walk(settings, rules, console)
    at = f"http://{web.host}:{web_port}"
    rows = [
        ("EDC terminals", f"{bridge.host}:{bridge.port}  (ISO 8583, dialect edc)"),
        ("health", f"{at}/readyz  {at}/healthz"),
        ("metrics", f"{at}/metrics"),
        ("PostgreSQL", database.title),
        ("bus", bus),
        ("data", database.place),
        ("logs", str(_log_path(settings.home))),
        ("operators", f"{settings.admin.address}  (lesko sign-in; docs/first-day.md)"),
        ("try next", _next_command(settings, has_demo=rules is not None)),
    ]
    write_table(console, ("what", "where"), rows, show_header=False)
    _say(console, "The switch is up. Ctrl-C stops everything.")


async def _walk(settings: Settings, rules: DemoRules, console: Console) -> None:
    bridge = settings.iso_bridge
    try:
        walk = await walk_purchase(
            settings, rules, SystemClock(), host=bridge.host, port=bridge.port
        )
        show_walk(console, walk)
    except Fault as fault:
        _say(console, f"The demo purchase was not answered: {fault}")


def _next_command(settings: Settings, *, has_demo: bool) -> str:
    if not has_demo:
        return f'{_command_name()} operator init LOGIN --name "First administrator"'
    port = (
        ""
        if settings.iso_bridge.port == Settings.model_fields["iso_bridge"].default.port
        else (f" --port {settings.iso_bridge.port}")
    )
    return (
        f"{_command_name()} iso send purchase --card-serial 10 --terminal LSK00002 "
        f"--outlet BUMA00000000002 --amount 50000{port}"
    )


def _command_name() -> str:
    path = Path(sys.executable).parent / "lesko"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _log_path(home: Path) -> Path:
    return home / "log" / "lesko.jsonl"


def _open_log(home: Path) -> TextIO:
    path = _log_path(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as problem:
        message = (
            f"{path} cannot be written: {(problem.strerror or str(problem)).lower()}. "
            "LESKO_HOME names a folder that can."
        )
        raise CommandRefused(message) from problem


def _say(console: Console, sentence: str) -> None:
    console.print(sentence)
