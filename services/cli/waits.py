"""Wait for what services need before they begin: a bus, its topics, a database, its tables."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

from libs.bus import Bus, BusUnavailable, TopicUnknown
from libs.observe import Health
from libs.outcome import Fault
from libs.pg import AccessRefused, open_pool
from services.cli.lifecycle import FIRST_PAUSE_S, LAST_PAUSE_S, Part, Shared
from services.cli.logins import Logins
from services.cli.store.schemas import schema_problem, server_version
from services.cli.tables import bring_forward

BUS_CHECK: Final = "bus"
TOPICS_CHECK: Final = "topics"
DATABASE_CHECK: Final = "database"
TABLES_CHECK: Final = "tables"

Look = Callable[[], Awaitable[str | None]]


async def wait_for_needs(
    parts: Sequence[Part], shared: Shared, logins: Logins | None, *, migrate: bool
) -> None:
    """Wait until the bus is open and these parts' topics and tables are there.

    Red meanwhile, in one check for each of them. ``migrate``: bring tables forward instead of
    waiting for them. ``logins`` None: no part has tables. Raises what only a person can change.
    """
    for check in (BUS_CHECK, TOPICS_CHECK):
        shared.health.expect(check)
    names = topics_of(parts)
    schemas = sorted({part.schema for part in parts if part.schema is not None})
    async with asyncio.TaskGroup() as group:
        group.create_task(_wait_for_bus(shared.bus, names, shared.health))
        if logins is not None:
            for check in (DATABASE_CHECK, TABLES_CHECK):
                shared.health.expect(check)
            group.create_task(_wait_for_tables(logins, schemas, shared.health, migrate=migrate))


def topics_of(parts: Sequence[Part]) -> list[str]:
    """Return the topics that these parts need."""
    return sorted({name for part in parts for name in part.topics})


async def unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Do the work, or cut it off when asked to stop; say whether it was done."""
    doing = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing  # Raises what it failed with.
            return not stop.is_set()
        return False
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def wait_until_well(look: Look, check: str, health: Health) -> None:
    """Look, less and less often, until nothing is wrong; ``check`` says what is."""
    pause_s = FIRST_PAUSE_S
    while (problem := await look()) is not None:
        health.report(check, problem)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LAST_PAUSE_S)
    health.report(check, None)


async def _wait_for_bus(bus: Bus, topics: Sequence[str], health: Health) -> None:
    await wait_until_well(partial(_bus_problem, bus), BUS_CHECK, health)
    await wait_until_well(partial(_topics_problem, bus, topics), TOPICS_CHECK, health)


async def _bus_problem(bus: Bus) -> str | None:
    try:
        await bus.start()
    except BusUnavailable as fault:
        return str(fault)
    return None


async def _topics_problem(bus: Bus, names: Sequence[str]) -> str | None:
    try:
        return await missing_topics(bus, names)
    except BusUnavailable as fault:
        return str(fault)


async def missing_topics(bus: Bus, names: Sequence[str]) -> str | None:
    """Return a sentence on topics that are not there; None: all are. Raises BusUnavailable."""
    missing = []
    for name in names:
        try:
            await bus.topic(name)
        except TopicUnknown:
            missing.append(name)
    return f"not there: {', '.join(missing)}; run lesko topics apply" if missing else None


async def _wait_for_tables(
    logins: Logins, schemas: Sequence[str], health: Health, *, migrate: bool
) -> None:
    look = partial(_database_problem, logins, schemas)
    await wait_until_well(look, DATABASE_CHECK, health)
    look = partial(_tables_problem, logins, schemas, migrate=migrate)
    await wait_until_well(look, TABLES_CHECK, health)


async def _database_problem(logins: Logins, schemas: Sequence[str]) -> str | None:
    dsn = logins.any_of(schemas)
    if dsn is None:
        return logins.problem(schemas)
    async with open_pool(dsn, name="lesko start", size=1) as pool:
        try:
            await server_version(pool)
        except AccessRefused:
            return None  # It is there; what else is missing the next look tells.
        except Fault as fault:
            return str(fault)
        return await pool.write_problem()


async def _tables_problem(logins: Logins, schemas: Sequence[str], *, migrate: bool) -> str | None:
    try:
        if migrate:
            await bring_forward(logins, schemas)
        if (problem := logins.problem(schemas)) is not None:
            return problem
        for schema in schemas:
            async with open_pool(logins.of(schema), name="lesko start", size=1) as pool:
                if (problem := await schema_problem(pool, [schema])) is not None:
                    return problem
    except AccessRefused as refused:
        return f"{refused} Run lesko migrate, which lets each service in."
    except Fault as fault:
        if not fault.retriable:
            raise
        return str(fault)
    return None
