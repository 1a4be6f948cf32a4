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
from libs.vault import generate_demo_keys
from services.cli.faults import CommandRefused
from services.cli.screen import progress_bar, screen
from services.cli.seeding.fill import SeedOrder, Target, fill, is_filled
from services.cli.seeding.plan import DemoRules
from services.cli.settings import Settings
from services.cli.store.schemas import migrate_all, server_version

DATABASE_TRIES: Final = 10
DATABASE_PAUSE_S: Final = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The PostgreSQL in use and what people should know of it."""

    dsn: SecretStr
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
            title=f"{version} at {address_of(dsn)} (LESKO_POSTGRES__DSN)",
            place=f"in that PostgreSQL; keys in {settings.keys_directory}",
        )
        return
    root = settings.home / "postgres"
    say("Starting PostgreSQL ...")
    async with start_server(root, report=say) as server:
        moved = "" if server.placed_elsewhere is None else " (placed outside of this folder)"
        yield Database(
            dsn=SecretStr(server.dsn),
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
    settings: Settings, rules: DemoRules, order: SeedOrder, database: Database, say: Say
) -> None:
    """Make keys, tables and demo data where they are missing."""
    for path in generate_demo_keys(settings.keys_directory):
        say(f"Made a demo key: {path}")
    applied = await migrate_all(database.dsn.get_secret_value())
    if fresh := sum(len(names) for names in applied.values()):
        say(f"Brought the tables forward by {fresh} migrations.")
    target = Target(dsn=database.dsn, keys_directory=settings.keys_directory, clock=SystemClock())
    if await is_filled(rules, order, target):
        return
    say(f"Filling demo data: {order.cards} cards, {order.outlets} outlets ...")
    with progress_bar(screen()) as bar:
        tasks = {name: bar.add_task(name) for name in ("opening balances", "cards")}
        await fill(
            rules,
            order,
            target,
            lambda what, done, total: bar.update(tasks[what], completed=done, total=total),
        )
