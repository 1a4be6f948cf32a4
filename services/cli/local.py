"""What ``lesko run`` needs on this machine before the services start: database, keys, demo data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from libs.clock import SystemClock
from libs.pg import open_pool
from libs.pg.server import start_server
from libs.settings import address_of
from libs.vault import generate_demo_keys, make_backup_key
from services.cli.faults import CommandRefused
from services.cli.logins import Logins, logins_of
from services.cli.screen import progress_bar, screen
from services.cli.seeding.fill import SeedOrder, Target, fill, is_filled, refuse_real
from services.cli.seeding.plan import DemoRules
from services.cli.settings import Settings
from services.cli.store.schemas import server_version
from services.cli.tables import bring_forward

DATABASE_TRIES: Final = 10
DATABASE_PAUSE_S: Final = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The PostgreSQL in use and what people should know of it."""

    dsn: SecretStr  # Entered by the owner of the tables.
    maker: SecretStr  # The same place, entered by whoever may make roles.
    is_ours: bool  # Nobody else's roles are there.
    title: str
    place: str


@asynccontextmanager
async def open_database(settings: Settings, say: Say) -> AsyncIterator[Database]:
    """Use the database that the settings name, else run a server of our own."""
    if settings.postgres.dsn is not None:
        dsn = settings.postgres.dsn
        version = await _reach(dsn)
        yield Database(
            dsn=dsn,
            maker=dsn,
            is_ours=False,
            title=f"{version} at {address_of(dsn)} (LESKO_POSTGRES__DSN)",
            place=f"in that PostgreSQL; keys in {settings.keys_directory}",
        )
        return
    root = settings.home / "postgres"
    say("Starting PostgreSQL ...")
    binaries = settings.postgres.binaries
    async with start_server(root, binaries=binaries, report=say) as server:
        moved = "" if server.placed_elsewhere is None else " (placed outside of this folder)"
        yield Database(
            dsn=SecretStr(server.dsn),
            maker=SecretStr(server.maker_dsn),
            is_ours=True,
            title=f"{server.version} at {server.address}, our own, from {server.binaries}",
            place=f"{server.data_directory}{moved}; keys in {settings.keys_directory}",
        )


async def _reach(dsn: SecretStr) -> str:
    """Return the version of a database that takes writes; raises CommandRefused."""
    problem: str | None = None
    async with open_pool(dsn, name="lesko run", size=1) as pool:
        for _ in range(DATABASE_TRIES):
            if (problem := await pool.write_problem()) is None:
                return await server_version(pool)
            await asyncio.sleep(DATABASE_PAUSE_S)
    message = (
        f"PostgreSQL at {address_of(dsn)} (LESKO_POSTGRES__DSN) cannot be used: {problem} "
        "Start it, or unset the variable and let lesko run start one of its own."
    )
    raise CommandRefused(message)


async def prepare(
    settings: Settings, rules: DemoRules, order: SeedOrder | None, database: Database, say: Say
) -> Logins:
    """Make keys, roles, tables, demo data where they are missing; return the services' logins."""
    for path in generate_demo_keys(settings.keys_directory):
        say(f"Made a demo key: {path}")
    if settings.backup.directory is not None and make_backup_key(settings.backup_key_file):
        say(f"Made the key of backups: {settings.backup_key_file}; keep a copy somewhere else.")
    logins = logins_of(settings, database.dsn)
    forward = await bring_forward(logins, maker=database.maker, is_ours=database.is_ours)
    if forward.roles:
        say(f"Made the services' own logins: {', '.join(forward.roles)}.")
    if fresh := sum(len(names) for names in forward.applied.values()):
        say(f"Brought the tables forward by {fresh} migrations.")
    if order is None:
        return logins
    target = Target(logins=logins, keys_directory=settings.keys_directory, clock=SystemClock())
    await refuse_real(rules, target)
    if not await is_filled(rules, order, target):
        await _fill(rules, order, target, say)
    return logins


async def _fill(rules: DemoRules, order: SeedOrder, target: Target, say: Say) -> None:
    say(f"Filling demo data: {order.cards} cards, {order.outlets} outlets ...")
    with progress_bar(screen()) as bar:
        tasks = {name: bar.add_task(name) for name in ("opening balances", "cards")}
        await fill(
            rules,
            order,
            target,
            lambda what, done, total: bar.update(tasks[what], completed=done, total=total),
        )
