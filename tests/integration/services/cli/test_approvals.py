"""``lesko approval``, ``audit`` and ``heads``: as people type them, against a real admin."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from typer.testing import CliRunner

from libs.bus import MemoryBus, TopicSettings
from libs.clock import SystemClock
from libs.contracts import topics
from libs.fakes.ledger import a_purchase, a_reference
from libs.fakes.postgres_ledger import open_real_ledger
from libs.observe import Health
from libs.pg import Pool, open_pool
from libs.tcp import free_port
from libs.vault import generate_demo_keys
from services.admin.domain.role import Role
from services.admin.domain.session import token_hash
from services.admin.main import serve
from services.admin.settings import Settings
from services.card_ledger.handlers.open_accounts import Opening
from services.cli.admin_session import SignedIn, keep_session
from services.cli.faults import sentence_of
from services.cli.main import build_app

pytestmark = pytest.mark.postgres

WAIT_S = 60
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
PEOPLE = {"ani": Role.ADMINISTRATOR, "budi": Role.APPROVER, "dewi": Role.AUDITOR}
MIGRATIONS = {name: Path(f"services/{name}/migrations") for name in ("admin", "card_ledger")}
CITRA = {"login": "citra", "name": "Citra", "role": "auditor", "reason": "new here"}
_PERSON = """
    INSERT INTO admin.operator (login, name, role, made_at, password_hash, factor_sealed)
    VALUES ($1, $1, $2, now(), '-', '-') RETURNING id
"""

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


class Said(NamedTuple):
    """What a command wrote, lines joined, and its exit code."""

    code: int
    out: str
    err: str


class Desk:
    """A running admin, and people who are signed in, each with a home of their own."""

    def __init__(self, dsn: str, pool: Pool, port: int, root: Path) -> None:
        self.dsn = dsn
        self.pool = pool
        self.root = root
        self.url = f"http://127.0.0.1:{port}"

    async def person(self, login: str, role: Role) -> None:
        """Sign somebody in, with a second factor."""
        [row] = await self.pool.write(_PERSON, login, int(role))
        now = datetime.now(UTC)
        await self.pool.write(
            "INSERT INTO admin.session VALUES ($1, $2, $3, $4, true)",
            token_hash(login),
            row["id"],
            now,
            now + timedelta(hours=1),
        )
        keep_session(self.root / login, SignedIn(self.url, login, login))

    async def propose(self) -> int:
        """Have an administrator ask for what needs two; return the proposal's number."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post(
                "/v1/operators",
                json=CITRA,
                headers={"authorization": "Bearer ani"},
            )
        assert 202 == answer.status_code, answer.text
        number: int = answer.json()["proposal"]
        return number

    async def run(self, login: str, *words: str, typed: str = "") -> Said:
        """Run a command as somebody, beside the admin that it asks."""
        env = {
            "LESKO_ADMIN__POSTGRES__DSN": self.dsn,
            "LESKO_CARD_LEDGER__POSTGRES__DSN": self.dsn,
            "LESKO_ADMIN__URL": self.url,
            "LESKO_HOME": str(self.root / login),
            "COLUMNS": "200",
        }
        ended = await asyncio.to_thread(
            CliRunner().invoke, build_app(), list(words), input=typed, env=env
        )
        out = " ".join(ended.stdout.split())
        if ended.exception is None or isinstance(ended.exception, SystemExit):
            return Said(ended.exit_code, out, ended.stderr)
        return Said(ended.exit_code, out, sentence_of(ended.exception) or repr(ended.exception))


@pytest.fixture
async def desk(make_database: MakeDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    """Books with one purchase, an admin that serves, an administrator, approver and auditor."""
    dsn = await make_database(MIGRATIONS)
    async with open_real_ledger(dsn, now_ms=NOON_MS) as ledger:
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 0, 0, None, None, 100_000)])
        await owner.post(a_purchase(a_reference(amount=100)))
        await ledger.upkeep.project(range(4), rows_max=100)
    keys = tmp_path / "keys"
    generate_demo_keys(keys)
    port = free_port()
    over = {
        "postgres": {"dsn": dsn},
        "admin": {"port": port},
        "heads": {"directory": tmp_path / "daily"},
        "vault": {"keys_directory": keys},
    }
    async with open_pool(dsn, name="test desk", size=2) as pool, _serving(over):
        opened = Desk(dsn, pool, port, tmp_path)
        for login, role in PEOPLE.items():
            await opened.person(login, role)
        yield opened


@asynccontextmanager
async def _serving(over: Mapping[str, Any]) -> AsyncIterator[None]:
    health = Health()
    bus = _bus()
    await bus.start()
    serving = asyncio.create_task(
        serve(Settings.model_validate(over), bus=bus, clock=SystemClock(), health=health)
    )
    async with asyncio.timeout(WAIT_S):
        while health.problems() and not serving.done():  # noqa: ASYNC110 -- health has no event
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        await bus.stop()


def _bus() -> MemoryBus:
    one = TopicSettings(partitions=1)
    names = (topics.REGISTRY, topics.COMMANDS, topics.REQUESTS, topics.ADMIN_ANSWERS)
    return MemoryBus(dict.fromkeys(names, one), SystemClock())


class TestApproval:
    async def test_is_read_and_given_by_another_person(self, desk: Desk) -> None:
        """Shown, asked about, done; its maker is refused, and both stand in the audit."""
        number = str(await desk.propose())

        own = await desk.run("ani", "approval", "approve", number, typed="y\n")
        listed = await desk.run("budi", "approval", "list")
        no = await desk.run("budi", "approval", "approve", number, typed="n\n")
        yes = await desk.run("budi", "approval", "approve", number, typed="y\n")
        again = await desk.run("budi", "approval", "approve", number, typed="y\n")
        audit = await desk.run("dewi", "audit", "list", "--json")

        assert (1, "Your role may not do this; ask a colleague whose role may.") == (
            own.code,
            own.err,
        )
        assert "operator.add" in listed.out
        assert (1, 0) == (no.code, yes.code)
        assert "new here" in yes.out
        assert "content: name │ Citra" in yes.out
        assert f"Proposal {number} is approved and done." in yes.out
        assert (1, "This proposal has been decided" in again.err) == (again.code, True)
        rows = [(row["login"], row["result"]) for row in json.loads(audit.out)["rows"]]
        assert [
            ("budi", "refused"),
            ("budi", "approved"),
            ("ani", "refused"),
            ("ani", "proposed"),
        ] == rows

    async def test_can_be_given_by_a_hash_that_was_read(self, desk: Desk) -> None:
        """Without a question; another hash is refused, and so is none."""
        number = str(await desk.propose())
        shown = await desk.run("budi", "approval", "show", number, "--json")
        agreed = json.loads(shown.out)["hash"]

        none = await desk.run("budi", "approval", "approve", number, "--yes")
        other = await desk.run("budi", "approval", "approve", number, "--yes", "--hash", "0" * 64)
        given = await desk.run("budi", "approval", "approve", number, "--yes", "--hash", agreed)

        assert (1, 1, 0) == (none.code, other.code, given.code)
        assert "--yes needs --hash" in none.err
        assert "It changed since it was proposed" in other.err

    async def test_can_be_refused_with_a_reason(self, desk: Desk) -> None:
        """Its maker reads it in the list."""
        number = str(await desk.propose())

        rejected = await desk.run("budi", "approval", "reject", number, "--reason", "unknown here")
        listed = await desk.run("ani", "approval", "list", "--all")

        assert 0 == rejected.code
        assert re.search(r"rejected .* budi .* unknown here", listed.out)


class TestHeads:
    async def test_are_published_and_verified(self, desk: Desk) -> None:
        """Ledger and audit fit what was published; afterwards each rewrite is named."""
        await desk.propose()
        published = await desk.run("budi", "heads", "publish")
        assert 0 == published.code, published
        files = re.findall(r"Published (\S+)", published.out)
        ledger, audit = (next(f for f in files if kind in f) for kind in ("ledger-", "audit-"))

        fits = (
            await desk.run("budi", "ledger", "verify", "--head", ledger),
            await desk.run("dewi", "audit", "verify", "--head", audit),
            await desk.run("dewi", "audit", "verify", "--head", ledger),
        )
        await desk.pool.write("ALTER TABLE admin.audit_head DISABLE TRIGGER USER")
        await desk.pool.write("ALTER TABLE admin.audit DISABLE TRIGGER USER")
        await desk.pool.write("DELETE FROM admin.audit")
        await desk.pool.write(
            "UPDATE admin.audit_head SET no = 0, hash = decode(repeat('00', 32), 'hex')"
        )
        await desk.pool.write("UPDATE card_ledger.owner SET batch_no = 0 WHERE partition = 1")
        await desk.pool.write("DELETE FROM card_ledger.batch WHERE partition = 1")
        cut = (
            await desk.run("budi", "ledger", "verify", "--head", ledger),
            await desk.run("dewi", "audit", "verify", "--head", audit),
            await desk.run("dewi", "audit", "verify"),
        )

        assert (0, 0, 1) == tuple(one.code for one in fits)
        assert "The books are clean, up to the 4 heads given." in fits[0].out
        assert "1 rows of the audit are sound, up to the 1 heads given." == fits[1].out
        assert "holds no head of the audit" in fits[2].err
        assert (1, 1, 0) == tuple(one.code for one in cut)
        assert "published outside and is gone: the tail was cut" in cut[0].out
        assert "row 1: the tail was cut: rows up to 1 were there" in cut[1].out

    async def test_are_published_daily(self, desk: Desk) -> None:
        """By the admin whose turn it is, without anybody asking."""
        async with asyncio.timeout(WAIT_S):
            while not _files(desk.root / "daily"):  # noqa: ASYNC110 -- a directory has no event
                await asyncio.sleep(0.02)

        assert [f"audit-{datetime.now(UTC):%Y-%m-%d}.json"] == _files(desk.root / "daily")


def _files(directory: Path) -> list[str]:
    """Return the finished files of a directory."""
    return sorted(path.name for path in directory.glob("[!.]*")) if directory.exists() else []
