"""The embedded server: set up, started, taken over, watched and ended, whatever is killed."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.pg.faults import DirectoryBusy, ServerFault
from libs.pg.server import Server, start_server

pytestmark = pytest.mark.postgres

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
needs_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


async def ask(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def file_modes(directory: Path) -> dict[str, int]:
    files = [path for path in directory.iterdir() if path.is_file()]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}


def owner_of(path: Path) -> int:
    return path.stat().st_uid


async def until_gone(pid: int) -> bool:
    for _ in range(500):
        if not is_alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def small(root: Path, **more: Any) -> Any:
    return start_server(root, shared_buffers_mb=32, **more)


async def test_first_start_makes_a_durable_database(empty_root: Path) -> None:
    """Checksums, flushes, code-point order and scram stand as they must for money."""
    async with small(empty_root) as server:
        settings = {
            name: await ask(server.dsn, f"SHOW {name}")
            for name in ("data_checksums", "fsync", "full_page_writes", "jit", "server_encoding")
        }
        collation = await ask(
            server.dsn, "SELECT datcollate FROM pg_database WHERE datname = 'lesko'"
        )
        methods = await ask(
            server.admin_dsn, "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules"
        )
        is_super = await ask(server.dsn, "SHOW is_superuser")

    assert {
        "data_checksums": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "jit": "off",
        "server_encoding": "UTF8",
    } == settings
    assert ("C", ["scram-sha-256"], "off") == (collation, methods, is_super)


async def test_next_start_finds_the_same_data_at_the_same_address(root: Path) -> None:
    """What was committed is there again, under the DSN of before."""
    async with small(root) as server:
        first = server.dsn
        await ask(first, "CREATE TABLE coin AS SELECT 7 AS id")
    async with small(root) as server:
        assert first == server.dsn
        assert 7 == await ask(server.dsn, "SELECT id FROM coin")


async def test_leaving_ends_every_process(root: Path) -> None:
    """No process is left, and the lock is free again."""
    async with small(root) as server:
        pid = server.pid

    assert not is_alive(pid)
    assert not (root / "data" / "postmaster.pid").exists()


async def test_secrets_are_for_the_owner_alone(root: Path) -> None:
    """Passwords and log are 0600, and neither handle nor address shows a password."""
    async with small(root) as server:
        modes = file_modes(root)
        password = (root / "lesko.password").read_text().strip()

        assert {0o600} == set(modes.values())
        assert password in server.dsn
        assert password not in server.address + repr(server)


async def test_a_wrong_password_is_refused(root: Path) -> None:
    """Neither TCP nor the socket lets anybody in without the password."""
    async with small(root) as server:
        wrong = server.dsn.replace((root / "lesko.password").read_text().strip(), "guess")

        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(wrong, "SELECT 1")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=str(server.socket_directory), port=server.port, user="lesko", password="guess"
            )


async def test_a_second_one_on_the_same_directory_is_refused(root: Path) -> None:
    """The sentence names the directory and the process that has it; the first lives on."""
    async with small(root) as server:
        with pytest.raises(DirectoryBusy, match=f"{root} is in use .*process {os.getpid()}"):
            async with small(root):
                pass

        assert 1 == await ask(server.dsn, "SELECT 1")


async def test_server_ends_when_its_supervisor_is_killed(
    supervise: Callable[[], Any],
) -> None:
    """After kill -9 of our process nothing stays behind, and the next start works."""
    first = supervise()
    told = first.told()

    first.kill()

    assert await until_gone(told["pid"])
    again = supervise()
    assert not again.told()["adopted"]
    assert 0 == again.end()


async def test_a_server_that_outlived_its_guard_is_taken_over(
    supervise: Callable[[], Any],
) -> None:
    """Adopted while its clients stay connected, and then ours to end."""
    first = supervise()
    told = first.told()
    client = await asyncpg.connect(told["dsn"])
    os.kill(told["guard"], signal.SIGKILL)
    first.kill()

    second = supervise()
    retold = second.told()

    assert (told["pid"], told["dsn"], True) == (retold["pid"], retold["dsn"], retold["adopted"])
    assert 1 == await client.fetchval("SELECT 1")
    await client.close()
    assert 0 == second.end()
    assert await until_gone(told["pid"])


async def test_an_adopted_server_ends_when_its_new_supervisor_is_killed(
    supervise: Callable[[], Any],
) -> None:
    """Adoption puts the server under guard again."""
    first = supervise()
    told = first.told()
    os.kill(told["guard"], signal.SIGKILL)
    first.kill()
    second = supervise()
    assert second.told()["adopted"]

    second.kill()

    assert await until_gone(told["pid"])


async def test_a_server_that_dies_is_started_again(root: Path) -> None:
    """After kill -9 of PostgreSQL: same address, committed data there, and people are told."""
    said: list[str] = []
    async with small(root, report=said.append) as server:
        await ask(server.dsn, "CREATE TABLE coin AS SELECT 7 AS id")
        killed = server.pid
        os.kill(killed, signal.SIGKILL)
        async with asyncio.timeout(60):
            while killed == server.pid:  # noqa: ASYNC110 -- the killed one may answer for a moment
                await asyncio.sleep(0.02)

        found = await until_answers(server, "SELECT id FROM coin")

        assert 7 == found
        assert any("started again" in sentence for sentence in said)


async def until_answers(server: Server, sql: str) -> Any:
    for _ in range(500):
        try:
            return await ask(server.dsn, sql)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.02)
    raise AssertionError("The server did not come back.")


async def test_a_stale_pid_file_does_not_hinder(root: Path) -> None:
    """Neither a number that nobody has, nor one that now is a program of PostgreSQL's user."""
    async with small(root) as server:
        run_as = server.run_as
    pid_file = root / "data" / "postmaster.pid"
    with sleeper(run_as) as stranger:
        for number in (stranger, 4_000_000):
            pid_file.write_text(f"{number}\n{root}/data\n1\n5432\n\n127.0.0.1\n1 1\nready\n")
            if run_as:
                owner = (root / "data").stat()
                os.chown(pid_file, owner.st_uid, owner.st_gid)
            async with small(root) as server:
                assert 1 == await ask(server.dsn, "SELECT 1")
                assert not server.is_adopted
        assert is_alive(stranger)


@contextmanager
def sleeper(run_as: str | None) -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"], user=run_as, cwd="/")
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


async def test_another_port_is_taken_when_ours_is_gone(root: Path) -> None:
    """A stranger on the kept port costs us the port, not the start."""
    async with small(root) as server:
        kept = server.port
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", kept))
        stranger.listen()
        async with small(root) as server:
            assert kept != server.port
            assert 1 == await ask(server.dsn, "SELECT 1")


async def test_lost_passwords_are_made_anew(root: Path) -> None:
    """Without its password files the database opens again, and the data are still there."""
    async with small(root) as server:
        old = server.dsn
        await ask(old, "CREATE TABLE coin AS SELECT 7 AS id")
    (root / "lesko.password").unlink()

    async with small(root) as server:
        assert old != server.dsn
        assert 7 == await ask(server.dsn, "SELECT id FROM coin")


async def test_a_first_start_that_was_cut_short_is_made_again(empty_root: Path) -> None:
    """What initdb left half done is thrown away; it never becomes the database."""
    (empty_root / "data.new" / "base").mkdir(parents=True)
    (empty_root / "data.new" / "PG_VERSION").write_text("15\n")

    async with small(empty_root) as server:
        assert 1 == await ask(server.dsn, "SELECT 1")
    assert not (empty_root / "data.new").exists()


async def test_damaged_data_are_named(root: Path) -> None:
    """Data without a control file give one sentence and the log's place, and no process stays."""
    async with small(root):
        pass
    (root / "data" / "global" / "pg_control").unlink()

    with pytest.raises(ServerFault, match=r"does not start: .*pg_control.*postgres\.log"):
        async with small(root):
            pass


async def test_a_long_path_gets_its_socket_elsewhere(root: Path) -> None:
    """A path too long for a socket does not hinder; the short one goes with the server."""
    long = root / ("d" * 80)
    async with small(long) as server:
        assert server.socket_directory
        assert root not in server.socket_directory.parents
        assert 1 == await ask(server.dsn, "SELECT 1")

    assert not server.socket_directory.exists()


async def test_an_operators_own_settings_win(root: Path) -> None:
    """operator.conf beside ours is kept and read last."""
    async with small(root):
        pass
    (root / "data" / "operator.conf").write_text("work_mem = 5MB\n")
    (root / "data" / "operator.conf").chmod(0o644)

    async with small(root) as server:
        assert "5MB" == await ask(server.dsn, "SHOW work_mem")


@needs_root
async def test_root_becomes_an_ordinary_user(root: Path) -> None:
    """As root the server runs as somebody else, whom the handle names, and owns only its data."""
    async with small(root) as server:
        assert server.run_as
        assert 0 != owner_of(Path(f"/proc/{server.pid}"))
        assert 0 != owner_of(root / "data")
        assert server.placed_elsewhere is None


@needs_root
async def test_data_go_elsewhere_when_the_user_cannot_reach_the_root(
    root: Path, tmp_path: Path
) -> None:
    """Parents stay as they are; the next start finds the data, and another clone gets its own."""
    elsewhere, locked = root.parent / "elsewhere", tmp_path / "locked"
    locked.mkdir(mode=0o700)
    said: list[str] = []

    async with small(locked / "var", elsewhere=elsewhere, report=said.append) as server:
        first = server.placed_elsewhere
        await ask(server.dsn, "CREATE TABLE coin AS SELECT 7 AS id")
    async with small(locked / "var", elsewhere=elsewhere) as server:
        assert first == server.placed_elsewhere
        assert 7 == await ask(server.dsn, "SELECT id FROM coin")
    async with small(locked / "other", elsewhere=elsewhere) as server:
        assert first != server.placed_elsewhere

    assert 0o700 == stat.S_IMODE(locked.stat().st_mode)
    assert any(str(first) in sentence for sentence in said)


@needs_user
async def test_a_directory_that_cannot_be_created_is_named() -> None:
    """One sentence, with the directory in it."""
    with pytest.raises(ServerFault, match=r"/etc/lesko.*permission denied"):
        async with small(Path("/etc/lesko")):
            pass
