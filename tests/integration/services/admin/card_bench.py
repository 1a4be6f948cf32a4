"""Admin, authorization and the ledger served together on a real PostgreSQL and a bus in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from pydantic import SecretStr

from libs.bus import MemoryBus, Outgoing, load_topics
from libs.clock import SystemClock
from libs.contracts.envelope import first_envelope, read_envelope
from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.contracts.topics import AUTHORIZE_REQUESTED, BRIDGE_ANSWERS, COMMANDS, REQUESTS
from libs.fakes.cards import a_request
from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.iso8583 import Pan
from libs.observe import Health
from libs.pg import Pool, open_pool
from libs.registry import write_change
from libs.settings import PostgresSettings
from libs.tcp import free_port
from libs.vault import generate_demo_keys, read_token_key
from services.admin import main as admin
from services.admin.domain.role import Role
from services.admin.domain.session import token_hash
from services.admin.settings import AdminKnobs, VaultKnobs
from services.admin.settings import Settings as AdminSettings
from services.admin.store.registry import RegistryStore
from services.authorization import main as authorization
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger import main as card_ledger
from services.card_ledger.settings import LedgerKnobs
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.seeding.plan import luhn_digit

SERVICES: Final = ("admin", "authorization", "card_ledger")
TOPICS: Final = Path("deploy/kafka/topics.toml")
PATIENCE_S: Final = 20
_CHECKS: Final = {"admin.answers", "authorization.requests"}
_PERSON: Final = """
    INSERT INTO admin.operator (login, name, role, made_at) VALUES ($1, $1, $2, now())
    RETURNING id
"""
_SESSION: Final = """
    INSERT INTO admin.session (token_hash, operator, issued_at, expires_at, has_factor)
    VALUES ($1, $2, now(), now() + interval '1 day', true)
"""


class HearingBus(MemoryBus):
    """Keeps what was ever published."""

    def __init__(self) -> None:
        super().__init__(load_topics(TOPICS), SystemClock())
        self.heard: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Publish, and keep."""
        self.heard += records
        await super().publish(records, timeout_ms=timeout_ms)

    def schemas(self, schema: str) -> list[Outgoing]:
        """Return what was published of a schema."""
        return [one for one in self.heard if read_envelope(one.envelope).schema == schema]


class CardBench:
    """The switch without its terminals; people by the name of their role."""

    def __init__(self, dsn: str, pool: Pool, keys: Path) -> None:
        self.dsn = dsn
        self.pool = pool
        self.clock = SystemClock()
        self.health = Health()
        self.bus = HearingBus()
        self.tokens = read_token_key(keys)
        self._keys = keys
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._requests = 0

    async def prepare(self) -> None:
        """Make people, their sessions, and what the registry knows."""
        for role in Role:
            [row] = await self.pool.write(_PERSON, role.name.lower(), int(role))
            await self.pool.write(_SESSION, token_hash(role.name), row["id"])
        changes = [
            write_change(entry, version=1, changed_ms=self.clock.now_ms())
            for entry in (an_outlet(), a_terminal(), a_product())
        ]
        await RegistryStore(self.pool).record_changes(changes)

    def start(self, *services: str) -> None:
        """Serve these."""
        serves: dict[str, Callable[[], Awaitable[None]]] = {
            "admin": self._admin, "authorization": self._authorization,
            "card_ledger": self._card_ledger,
        }  # fmt: skip
        for name in services:
            self._tasks[name] = asyncio.ensure_future(serves[name]())

    async def stop(self, *services: str) -> None:
        """Serve them no longer; what one of them raised fails the test."""
        tasks = [self._tasks.pop(name) for name in services if name in self._tasks]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def new_bus(self) -> None:
        """Serve all anew on a bus that has forgotten everything."""
        await self.stop(*SERVICES)
        await self.bus.stop()
        self.bus = HearingBus()
        await self.bus.start()

    async def until_ready(self) -> None:
        """Wait until all that was started says so."""
        await until(lambda: self.health.is_ready and self.health.failing().keys() >= _CHECKS)

    async def ask(
        self, path: str, body: dict[str, Any] | bytes | None = None, *, role: Role = Role.OPERATOR
    ) -> httpx.Response:
        """Ask the API as a person of a role; bytes are a file of CSV."""
        headers = {"authorization": f"Bearer {role.name}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as client:
            if body is None:
                return await client.get(path)
            if isinstance(body, bytes):
                return await client.post(path, content=body, headers={"content-type": "text/csv"})
            return await client.post(path, json=body)

    async def step(self, reference: str, verb: str, *, role: Role = Role.OPERATOR) -> Any:
        """Change a card and return the answer, or what refused it."""
        reply = await self.ask(f"/v1/cards/{reference}/{verb}", {"reason": "because"}, role=role)
        found = reply.json()
        if "command" not in found:
            return found
        shown = await self.ask(f"/v1/commands/{found['command']}?wait_ms=10000")
        return shown.json()["answer"]

    async def import_cards(self, file: bytes) -> dict[str, Any]:
        """Import a file and wait for its end."""
        taken: dict[str, Any] = (await self.ask("/v1/cards/import", file)).json()
        if not taken.get("is_imported"):
            return taken
        found: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE_S):
            while not found or found["closed"] < found["commands"]:
                found = (await self.ask(f"/v1/cards/imports/{taken['file']}")).json()
                await asyncio.sleep(0.01)
        return found

    def token(self, number: str) -> bytes:
        """Return the token of a card number."""
        return self.tokens.token(Pan(number))

    async def buy(self, number: str) -> LedgerCommand:
        """Ask for a purchase and return what authorization makes of it."""
        self._requests += 1
        token = self.token(number)
        key = self._requests.to_bytes(16, "big")
        request = a_request(token=token, key=key, received_ms=self.clock.now_ms())
        envelope = first_envelope(
            schema=AUTHORIZE_REQUESTED,
            answer_topic=BRIDGE_ANSWERS,
            answer_partition=0,
            deadline_ms=0,
        )
        place = request_partition(token, 8)
        asked = Outgoing(
            REQUESTS, place, token, request.SerializeToString(), envelope.SerializeToString()
        )
        await self.bus.publish([asked], timeout_ms=1_000)
        made: list[LedgerCommand] = []

        def is_there() -> bool:
            commands = (one.value for one in self.bus.heard if one.topic == COMMANDS)
            made[:] = [
                one for one in map(LedgerCommand.FromString, commands) if one.reference.key == key
            ]
            return bool(made)

        await until(is_there)
        return made[0]

    async def count(self, sql: str) -> int:
        """Return the one number that a statement gives."""
        [row] = await self.pool.read(sql)
        found: int = row[0]
        return found

    async def everything_stored(self) -> str:
        """Return all rows of all tables as text."""
        connection = await asyncpg.connect(self.dsn)
        try:
            tables = await connection.fetch(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname = ANY($1::text[])",
                list(SERVICES),
            )
            rows = [
                row["t"]
                for table in tables
                for row in await connection.fetch(f"SELECT t::text AS t FROM {table['name']} AS t")
            ]
        finally:
            await connection.close()
        return "\n".join(rows)

    async def _admin(self) -> None:
        settings = AdminSettings(
            postgres=PostgresSettings(dsn=SecretStr(self.dsn)),
            admin=AdminKnobs(
                port=self._port, relay_every_ms=50, resend_every_ms=300, ask_timeout_ms=500
            ),
            vault=VaultKnobs(keys_directory=self._keys),
        )
        await admin.serve(settings, bus=self.bus, clock=self.clock, health=self.health)

    async def _authorization(self) -> None:
        settings = AuthorizationSettings(postgres=PostgresSettings(dsn=SecretStr(self.dsn)))
        await authorization.serve(settings, bus=self.bus, clock=self.clock, health=self.health)

    async def _card_ledger(self) -> None:
        settings = LedgerSettings(
            postgres=PostgresSettings(dsn=SecretStr(self.dsn)),
            card_ledger=LedgerKnobs(lease_ms=1_000, days_back=4),
        )
        await card_ledger.serve(settings, bus=self.bus, clock=self.clock, health=self.health)


@asynccontextmanager
async def open_card_bench(
    make_database: Callable[..., Awaitable[str]], keys: Path
) -> AsyncIterator[CardBench]:
    """Open a bench on which nothing is served yet."""
    generate_demo_keys(keys)
    dsn = await make_database({name: Path(f"services/{name}/migrations") for name in SERVICES})
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(dsn, name="card bench", size=4))
        bench = CardBench(dsn, pool, keys)
        await bench.bus.start()
        await bench.prepare()
        try:
            yield bench
        finally:
            await bench.stop(*SERVICES)
            await bench.bus.stop()


def card_number(serial: int) -> str:
    """Return a card number that is right."""
    body = f"93600988{serial:07d}"
    return body + luhn_digit(body)


def card_file(serials: range, *, expiry: str = "3012", product: str = "standard") -> bytes:
    """Return a file of cards."""
    rows = [f"{card_number(n)},{product},{expiry}\n" for n in serials]
    return ("card_number,product,expiry\n" + "".join(rows)).encode()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, under a bound."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 -- what is waited for has no event of its own
            await asyncio.sleep(0.01)
