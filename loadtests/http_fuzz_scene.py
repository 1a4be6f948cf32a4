"""A real admin with the services behind it, people of every role, and things to ask about."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from pydantic import SecretStr

from libs.bus import MemoryBus, TopicSettings
from libs.clock import SystemClock
from libs.contracts import topics
from libs.observe import Health
from libs.pg import Pool, open_pool
from libs.settings import PostgresSettings
from libs.tcp import free_port
from libs.vault import generate_demo_keys
from services.admin import main as admin
from services.admin.domain.role import Role
from services.admin.domain.session import token_hash
from services.admin.settings import Settings as AdminSettings
from services.authorization import main as authorization
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger import main as card_ledger
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.settings import LedgerKnobs
from services.card_ledger.settings import Settings as LedgerSettings

PARTITIONS: Final = 2
WALLET: Final = 1
READY_S: Final = 60
SCHEMAS: Final = {
    "admin": admin.MIGRATIONS,
    "authorization": authorization.MIGRATIONS,
    "card_ledger": card_ledger.MIGRATIONS,
}
# Enrolled as far as rules ask; nobody can sign in with it, and nobody needs to.
_PERSON: Final = """
    INSERT INTO admin.operator (login, name, role, made_at, password_hash, factor_sealed)
    VALUES ($1, $1, $2, now(), '-', '-') RETURNING id
"""
_SESSION: Final = "INSERT INTO admin.session VALUES ($1, $2, $3, $4, true)"
_TOPICS: Final = (
    *(topics.REGISTRY, topics.COMMANDS, topics.dead_letters(topics.COMMANDS)),
    *(topics.REQUESTS, topics.dead_letters(topics.REQUESTS), topics.BRIDGE_ANSWERS),
    *(topics.ENTRIES, topics.ADMIN_ANSWERS),
)
_THINGS: Final[tuple[tuple[Role, str, Mapping[str, Any]], ...]] = (
    (Role.ADMINISTRATOR, "/v1/groups", {"code": "north", "name": "North", "reason": "fuzz"}),
    (Role.OPERATOR, "/v1/outlets", {"code": "BUMA00000000001", "name": "Kios", "region": "biak"}),
    (Role.OPERATOR, "/v1/terminals", {"code": "00000001", "outlet": "BUMA00000000001"}),
    (
        Role.ADMINISTRATOR,
        "/v1/operators",
        {"login": "citra", "name": "Citra", "role": "auditor", "reason": "fuzz"},
    ),
)


class Scene(NamedTuple):
    """Where to ask, as whom, and what there is to be named in an address."""

    url: str
    tokens: Mapping[Role, str]
    known: Mapping[str, tuple[str | int, ...]]  # By the name of a parameter in a path.
    pool: Pool

    async def sign_in_again(self) -> None:
        """Give everybody their session back: a case may have ended it."""
        await self.pool.write("UPDATE admin.session SET revoked_at = NULL")


@asynccontextmanager
async def open_scene(dsn: str, work: Path) -> AsyncIterator[Scene]:
    """Serve admin and ledger on a database that has their tables and nothing in them."""
    clock, health = SystemClock(), Health()
    bus = MemoryBus(dict.fromkeys(_TOPICS, TopicSettings(partitions=PARTITIONS)), clock)
    port = free_port()
    ledger = LedgerSettings(
        postgres=PostgresSettings(dsn=SecretStr(dsn)),
        card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000, days_back=4),
    )
    await card_ledger.open_books(ledger, clock, [Opening(WALLET, 0, 0, 2_000, None, 1_000)])
    async with AsyncExitStack() as stack:
        await bus.start()
        stack.push_async_callback(bus.stop)
        pool = await stack.enter_async_context(open_pool(dsn, name="fuzz", size=1))
        for serving in (
            card_ledger.serve(ledger, bus=bus, clock=clock, health=health),
            admin.serve(_admin(dsn, work, port), bus=bus, clock=clock, health=health),
            authorization.serve(_authorization(dsn), bus=bus, clock=clock, health=health),
        ):
            stack.push_async_callback(_end, asyncio.create_task(serving))
        # Authorization takes an empty registry for none: things first, then all of it.
        await _until_good(health, ("admin.", "card_ledger."))
        scene = await _people(pool, f"http://127.0.0.1:{port}")
        await _things(scene)
        await _until_good(health, ("",))
        yield scene


async def _until_good(health: Health, prefixes: tuple[str, ...]) -> None:
    async with asyncio.timeout(READY_S):
        while any(check.startswith(prefixes) for check in health.problems()):  # noqa: ASYNC110 -- health has no event
            await asyncio.sleep(0.02)


def _authorization(dsn: str) -> AuthorizationSettings:
    partitions = {"partitions": PARTITIONS}
    return AuthorizationSettings.model_validate(
        {"postgres": {"dsn": dsn}, "card_ledger": partitions}
    )


def _admin(dsn: str, work: Path, port: int) -> AdminSettings:
    keys = work / "keys"
    generate_demo_keys(keys)
    return AdminSettings.model_validate(
        {
            "postgres": {"dsn": dsn},
            "admin": {"port": port},
            "card_ledger": {"partitions": PARTITIONS},
            "vault": {"keys_directory": keys},
        }
    )


async def _people(pool: Pool, url: str) -> Scene:
    tokens = {}
    now = datetime.now(UTC)
    for role in Role:
        tokens[role] = f"token-{role.name.lower()}"
        [row] = await pool.write(_PERSON, role.name.lower(), int(role))
        until = now + timedelta(days=1)
        await pool.write(_SESSION, token_hash(tokens[role]), row["id"], now, until)
    known = {
        "code": ("BUMA00000000001", "00000001", "north"),
        "wallet": (WALLET,),
        "number": (1, 2),
        "login": ("citra", "nobody"),
    }
    return Scene(url, tokens, known, pool)


async def _things(scene: Scene) -> None:
    async with httpx.AsyncClient(base_url=scene.url, timeout=READY_S) as client:
        for role, path, body in _THINGS:
            headers = {"authorization": f"Bearer {scene.tokens[role]}"}
            answer = await client.post(path, json=dict(body), headers=headers)
            assert answer.is_success, answer.text


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
