"""From an empty table to two people who trust one another, by the `lesko` commands alone."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pyotp
import pytest

from libs.pg import open_pool
from libs.web import serve_app
from services.admin.api.app import build_api
from services.cli.admin_session import FILE
from tests.integration.services.admin.approvals import MIGRATIONS, MakeDatabase
from tests.integration.services.admin.people import Office, password_of

pytestmark = pytest.mark.postgres

REPOSITORY: Final = Path(__file__).resolve().parents[4]
PATIENCE_S: Final = 30


class Told(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


class Desk:
    """A person at a terminal, with a home of their own."""

    def __init__(self, office: Office, home: Path, port: int) -> None:
        self.office = office
        self.home = home
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "LESKO_HOME": str(home),
            "LESKO_ADMIN__POSTGRES__DSN": office.dsn,
            "LESKO_ADMIN__PORT": str(port),
        }

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a command."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", *words,
            cwd=REPOSITORY, env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe,
        )  # fmt: skip

    async def run(self, *words: str, lines: tuple[str, ...] = ()) -> Told:
        """Run a command to its end."""
        process = await self.start(*words)
        given = "".join(f"{line}\n" for line in lines).encode()
        out, err = await asyncio.wait_for(process.communicate(given), PATIENCE_S)
        assert process.returncode is not None
        return Told(process.returncode, out.decode(), err.decode())

    async def sign_in(self, login: str) -> Told:
        """Sign in with what the person has."""
        lines = (password_of(login), self.office.code(login))
        return await self.run("sign-in", login, "--password-stdin", lines=lines)

    async def enrol(self, login: str, code: str) -> Told:
        """Enrol, taking the factor from the screen as a person does."""
        process = await self.start("operator", "enrol", login, "--password-stdin")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{code}\n{password_of(login)}\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            while not (line := (await process.stdout.readline()).decode()).startswith("otpauth"):
                assert line, (await process.communicate())[1].decode()
        secret = pyotp.parse_uri(line.strip()).secret
        self.office.secrets[login] = secret
        digits = self.office.code(login)
        out, err = await asyncio.wait_for(process.communicate(f"{digits}\n".encode()), PATIENCE_S)
        assert process.returncode is not None
        return Told(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def desks(make_database: MakeDatabase, tmp_path: Path) -> AsyncIterator[list[Desk]]:
    """Two people's terminals; the API is served on this machine, the table is empty."""
    async with _served(await make_database(MIGRATIONS)) as (office, port):
        yield [Desk(office, tmp_path / name, port) for name in ("first", "second")]


@asynccontextmanager
async def _served(dsn: str) -> AsyncIterator[tuple[Office, int]]:
    async with open_pool(dsn, name="test commands", size=4) as pool:
        office = Office(dsn, pool)
        app = build_api(office.desk)
        async with serve_app(app, host="127.0.0.1", port=0, setting="none") as port:
            yield office, port
        await office.close()


def code_in(told: Told) -> str:
    """The one-time code that a command showed."""
    assert 0 == told.code, told.err
    return told.out.partition("shown only now: ")[2].split()[0]


async def test_operators_begin_by_commands_alone(desks: list[Desk]) -> None:
    """init, sign-in, add, enrol, approve, list, sign-out; nothing secret is left on the disk."""
    first, second = desks
    made = await first.run(
        "operator",
        "init",
        "root",
        "--name",
        "Root",
        "--password-stdin",
        lines=(password_of("root"),),
    )
    assert (0, "") == (made.code, made.err)
    assert 0 == (await first.sign_in("root")).code
    add = ("operator", "add", "--name", "Somebody", "--reason", "works here", "--role")
    code = code_in(await first.run(*add, "approver", "appi"))
    assert "appi is enrolled" in (await second.enrol("appi", code)).out
    assert 0 == (await second.sign_in("appi")).code

    waits = await first.run(*add, "operator", "ani")
    assert "Proposal 1 waits for a second person" in waits.out
    shown = await second.run("approval", "show", "1", "--json")
    assert 0 == shown.code, shown.err
    hash_ = shown.out.partition('"hash":"')[2].partition('"')[0]
    done = await second.run("approval", "approve", "1", "--yes", "--hash", hash_)
    assert "enrolment_code" in done.out

    listed = await first.run("operator", "list")
    assert all(word in listed.out for word in ("root", "appi", "ani", "to enrol", "active"))
    assert 0 == (await first.run("sign-out")).code
    assert not (first.home / FILE).exists()
    left = "".join(path.read_text() for path in second.home.rglob("*") if path.is_file())
    assert password_of("appi") not in left


async def test_operator_is_rescued_on_the_machine(desks: list[Desk]) -> None:
    """The only administrator has lost the password: a new code, and the old password is dead."""
    [desk, _] = desks
    await desk.office.init.begin("root", "Root", password_of("root"))
    code = code_in(await desk.run("operator", "rescue", "root", "--reason", "lost it"))

    assert 1 == (await desk.sign_in("root")).code
    lines = (code, "a-new-word-for-77")
    assert 0 == (await desk.run("operator", "enrol", "root", "--password-stdin", lines=lines)).code
    told = await desk.run("sign-in", "root", "--password-stdin", lines=("a-new-word-for-77", ""))
    assert "Signed in as root (administrator)" in told.out
