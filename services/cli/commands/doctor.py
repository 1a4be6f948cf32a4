"""``lesko doctor``: look at everything a start needs, change nothing, name what is wrong."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel, SecretStr

from libs.clock import SystemClock, business_day
from libs.iso8583 import load_dialect
from libs.outcome import Fault
from libs.pg import Pool, open_pool
from libs.pg.archive_keeper import SLOT
from libs.settings import LeskoSettings, address_of
from libs.vault import read_token_key, read_vault
from services.admin.settings import Settings as AdminSettings
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.composition import choose_services, overrides, own
from services.cli.database import need_logins
from services.cli.iso.show import DIALECTS
from services.cli.kafka_topics import kafka_in_use, look_at_topics
from services.cli.lifecycle import Part
from services.cli.logins import OWNERS, Logins
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import BridgePart, Settings, WebPart
from services.cli.standing import read_standing
from services.cli.store.log_state import LogState, log_state
from services.cli.store.schemas import (
    SchemaState,
    days_ahead,
    rights_problem,
    schema_states,
    server_version,
)
from services.cli.tcp_ports import port_problem, someone_listens
from services.cli.wal_status import base_problem, slot_problem, wal_problem
from services.iso_bridge.settings import Settings as BridgeSettings

PYTHON_MIN = (3, 11)
DISK_FREE_MIN_MB = 500
DAYS_AHEAD_MIN = 2


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    is_good: bool
    text: str


def doctor(
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE...]", help="What these need on Kafka; none: all."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Check machine, keys, database, Kafka and ports; print settings masked; exit code 1 if ill."""
    settings = Settings()
    parts = choose_services(services or [], settings)
    findings = asyncio.run(_examine(settings, parts))
    effective = dict(effective_settings(settings))
    if as_json:
        write_json({"findings": [each._asdict() for each in findings], "settings": effective})
    else:
        console = screen()
        rows = [(each.what, "good" if each.is_good else "WRONG", each.text) for each in findings]
        write_table(console, ("what", "state", "found"), rows)
        write_table(console, ("setting", "value"), sorted(effective.items()))
    if not all(each.is_good for each in findings):
        raise typer.Exit(1)


async def _examine(settings: Settings, parts: Sequence[Part]) -> list[Finding]:
    is_edge = any(part.name == "iso_bridge" for part in parts)
    schemas = [part.schema for part in parts if part.schema is not None]
    found = [*_machine(settings), *([_keys(settings), _dialects()] if is_edge else ())]
    if schemas:
        found.extend([finding async for finding in _database(settings, schemas)])
    found.extend([finding async for finding in _backup(settings, schemas)])
    found.extend([finding async for finding in _kafka(settings)])
    found.extend(_ports(settings, is_edge=is_edge))
    return found


def _machine(settings: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("Python", sys.version_info >= PYTHON_MIN, version)
    home = settings.home.absolute()
    place = home if home.exists() else home.parent
    writable = os.access(place, os.W_OK)
    text = str(home) if writable else f"{home} cannot be written; LESKO_HOME names another"
    yield Finding("home", writable, text)
    if place.exists():
        free_mb = shutil.disk_usage(place).free // 1_000_000
        yield Finding("disk", free_mb >= DISK_FREE_MIN_MB, f"{free_mb} MB free at {place}")


def _keys(settings: Settings) -> Finding:
    try:
        read_token_key(settings.keys_directory)
        read_vault(settings.keys_directory)
    except Fault as fault:
        return Finding("keys", is_good=False, text=str(fault))
    return Finding("keys", is_good=True, text=str(settings.keys_directory))


def _dialects() -> Finding:
    try:
        names = [load_dialect(each).name for each in sorted(DIALECTS.iterdir()) if each.is_dir()]
    except Fault as fault:
        return Finding("dialects", is_good=False, text=str(fault))
    return Finding("dialects", is_good=True, text=", ".join(names))


async def _database(settings: Settings, schemas: Sequence[str]) -> AsyncIterator[Finding]:
    try:
        logins = need_logins(settings, schemas)
        if (problem := logins.problem(schemas)) is not None:
            yield Finding("logins", is_good=False, text=problem)
            return
    except Fault as fault:
        yield Finding("database", is_good=False, text=str(fault))
        return
    for schema in schemas:
        async for finding in _own_part(logins, schema):
            yield finding


async def _own_part(logins: Logins, schema: str) -> AsyncIterator[Finding]:
    """Look at one service's part of the database, as that service."""
    dsn = logins.of(schema)
    try:
        async with open_pool(dsn, name="lesko doctor", size=1) as pool:
            if (problem := await pool.write_problem()) is not None:
                yield Finding(f"database for {schema}", is_good=False, text=problem)
                return
            text = f"{await server_version(pool)} at {address_of(dsn)}, as {logins.role(schema)}"
            yield Finding(f"database for {schema}", is_good=True, text=text)
            [state] = await schema_states(pool, [schema])
            yield _tables(state)
            if state.applied != state.known:
                return
            wrong = await rights_problem(pool, schema, logins)
            text = "as they should be" if wrong is None else wrong
            yield Finding(f"rights {schema}", wrong is None, text)
            if schema == "card_ledger":
                yield await _days(pool)
    except Fault as fault:
        yield Finding(f"database for {schema}", is_good=False, text=str(fault))


def _tables(state: SchemaState) -> Finding:
    what, text = f"tables {state.schema}", f"migration {state.applied} of {state.known}"
    if state.is_newer:
        fits = "does not work with them" if state.breaks else "works with them"
        text += f": made by a newer version; this one {fits}"
    return Finding(what, state.applied >= state.known and not state.breaks, text)


async def _days(pool: Pool) -> Finding:
    knobs = LedgerSettings.model_validate({"postgres": {"dsn": _NO_DSN}}).card_ledger
    zone = ZoneInfo(knobs.business_zone)
    ahead = await days_ahead(pool, business_day(SystemClock().now_ms(), zone))
    return Finding("day partitions", ahead >= DAYS_AHEAD_MIN, f"{ahead} days from today on")


async def _backup(settings: Settings, schemas: Sequence[str]) -> AsyncIterator[Finding]:
    state = await _log_state(settings, schemas)
    if state is not None and (kept := slot_problem(state)) is not None:
        yield Finding("log kept", is_good=False, text=kept)
    if settings.backup.directory is not None:
        now_ms = SystemClock().now_ms()
        problem = wal_problem(settings, now_ms)
        text = problem or f"the log is archived in {settings.backup.directory}"
        yield Finding("backup", is_good=problem is None, text=text)
        problem = base_problem(settings, now_ms, state)
        text = problem or "the newest one fits this server, and the log leads on from it"
        yield Finding("base backup", is_good=problem is None, text=text)


async def _log_state(settings: Settings, schemas: Sequence[str]) -> LogState | None:
    """Ask the server; None where it cannot be asked, which is named elsewhere."""
    try:
        for schema in schemas[:1]:
            dsn = need_logins(settings, schemas).of(schema)
            async with open_pool(dsn, name="lesko doctor", size=1) as pool:
                return await log_state(pool, SLOT)
    except Fault:
        return None
    return None


async def _kafka(settings: Settings) -> AsyncIterator[Finding]:
    kafka = kafka_in_use(settings)
    if kafka is None:
        yield Finding("bus", is_good=True, text="memory, all services in one process")
        return
    try:
        report = await look_at_topics(settings, kafka)
    except Fault as fault:
        yield Finding("Kafka", is_good=False, text=str(fault))
        return
    yield Finding("Kafka", is_good=True, text=f"{report.brokers} brokers at {kafka.bootstrap}")
    for each in report.findings:
        text = f"{each.what}: {each.found}, should be {each.wanted}"
        yield Finding(each.topic, not each.is_wrong, text)
    if report.is_good:
        yield Finding("topics", is_good=True, text=f"{len(report.states)} as they should be")


def _ports(settings: Settings, *, is_edge: bool) -> Iterator[Finding]:
    ours = read_standing(settings.home) is not None
    wanted: list[tuple[str, BridgePart | WebPart]] = [("health port", settings.web)]
    if is_edge:
        wanted.insert(0, ("EDC port", settings.iso_bridge))
    for what, part in wanted:
        problem = port_problem(part.host, part.port)
        at = f"{part.host}:{part.port}"
        if problem is None:
            yield Finding(what, is_good=True, text=f"{at} is free")
        elif ours and someone_listens(part.host, part.port):
            yield Finding(what, is_good=True, text=f"{at} is the running switch's")
        else:
            yield Finding(what, is_good=False, text=f"{at}: {problem}")


def effective_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Give every knob of every service as its variable and value, secrets masked."""
    shown = Logins(None, dict.fromkeys(OWNERS, SecretStr(_NO_DSN)), settings.roles_directory)
    over = overrides(settings, shown)  # Ours say more, and theirs are not needed for this.
    of_services = [kind.model_validate(own(over, name)) for name, kind in _KINDS.items()]
    for part in (*of_services, settings):
        yield from _flat("LESKO", part)


_NO_DSN = "postgresql://"  # Its form is checked; what we know of it is shown instead.
_KINDS: Mapping[str, type[LeskoSettings]] = {
    "admin": AdminSettings,
    "authorization": AuthorizationSettings,
    "card_ledger": LedgerSettings,
    "iso_bridge": BridgeSettings,
}


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    joint = "_" if name == "LESKO" else "__"
    if isinstance(value, BaseModel):
        items: Mapping[str, object] = {
            field: getattr(value, field) for field in type(value).model_fields
        }
    elif isinstance(value, Mapping):
        items = value
    else:
        yield name, "" if value is None else str(value)
        return
    for field, inner in items.items():
        yield from _flat(f"{name}{joint}{str(field).upper()}", inner)
