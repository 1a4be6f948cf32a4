"""Copies of a real server: sealed, checked, and brought back as it was at a moment."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from libs.clock import SystemClock
from libs.pg import open_pool
from libs.pg.archive import WalArchive
from libs.pg.archive_keeper import SLOT, drop_slot, keep_archive
from libs.pg.backup import check_base, find_bases, take_base
from libs.pg.base_manifest import BASE_FILE, BackupBroken, Base
from libs.pg.faults import ServerFault
from libs.pg.lineage import SERVER_FILE, WrongServer
from libs.pg.replication import find_program
from libs.pg.restore import restore_server
from libs.pg.server import Server, start_server
from libs.vault import BackupKey
from services.cli.store.log_state import log_state
from services.cli.wal_status import slot_problem

pytestmark = pytest.mark.postgres

KEY = BackupKey(bytes(range(32)))
SECRET = "a word that stands in the rows"
BOUND_S = 60


def now() -> datetime:
    """Return the time as the command does."""
    return datetime.now(UTC)


@pytest.fixture
async def server(root: Path) -> AsyncIterator[Server]:
    """Give a running server with a table."""
    async with start_server(root, shared_buffers_mb=32) as running:
        await tell(running, "CREATE TABLE said (number int, word text)")
        yield running


@pytest.fixture
def kept(open_directory: Callable[[], AbstractContextManager[Path]]):  # type: ignore[no-untyped-def] # noqa: ANN201 -- a generator of a path
    """Give a place for backups and restored servers."""
    with open_directory() as directory:
        yield directory


async def tell(server: Server, sql: str, *args: object) -> list[asyncpg.Record]:
    """Say something to the server as its superuser."""
    connection = await asyncpg.connect(server.admin_dsn, timeout=10)
    try:
        return list(await connection.fetch(sql, *args))
    finally:
        await connection.close()


async def say(server: Server, number: int) -> None:
    """Write a row and have it flushed."""
    await tell(server, "INSERT INTO said VALUES ($1, $2)", number, SECRET)


async def heard(server: Server) -> list[int]:
    """Return the numbers that were written."""
    return [row["number"] for row in await tell(server, "SELECT number FROM said ORDER BY 1")]


async def copied(server: Server, directory: Path, key: BackupKey = KEY) -> Base:
    """Take a base backup."""
    program = find_program("pg_basebackup", server.binaries)
    dsn = SecretStr(server.admin_dsn)
    return await asyncio.to_thread(
        take_base, dsn, directory, key, home=directory.parent, program=program, now=now
    )


class Keeper:
    """The archive while it is kept, and what was said of it."""

    def __init__(self, archive: WalArchive) -> None:
        self.archive = archive
        self.said: list[str | None] = []

    async def has_all_of(self, server: Server) -> None:
        """Wait until all that the server has written so far is archived."""
        [[name]] = await tell(server, "SELECT pg_walfile_name(pg_switch_wal())")
        await self.until(lambda: name in self.archive.names())

    async def has_said(self, words: str) -> None:
        """Wait until it complains in these words."""
        await self.until(lambda: any(words in (each or "") for each in self.said))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(BOUND_S):
            while not is_so():  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.05)


@asynccontextmanager
async def keeping(server: Server, directory: Path, spool: Path) -> AsyncIterator[Keeper]:
    """Keep the archive for the block, from a moment on when the log is being received."""
    keeper = Keeper(WalArchive(directory, KEY))
    task = asyncio.create_task(
        keep_archive(
            SecretStr(server.admin_dsn),
            keeper.archive,
            spool,
            SystemClock(),
            program=find_program("pg_receivewal", server.binaries),
            report=keeper.said.append,
        )
    )
    try:
        async with asyncio.timeout(BOUND_S):
            while not await tell(server, "SELECT FROM pg_replication_slots WHERE active"):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.05)
        yield keeper
    finally:
        task.cancel()
        await asyncio.wait({task})


async def restored(
    directory: Path, root: Path, to: datetime | None = None, key: BackupKey = KEY
) -> list[int]:
    """Bring a server back, start it as always, and return its numbers."""
    await restore_server(directory, key, root, to=to, binaries=None, report=lambda _: None)
    async with start_server(root, shared_buffers_mb=32) as again:
        return await heard(again)


class TestTakeBase:
    async def test_is_sealed_checked_and_kept(self, server: Server, kept: Path) -> None:
        """No row stands in clear; every file is compared; nothing else is left in the folder."""
        await say(server, 1)

        base = await copied(server, kept / "b")

        assert [base] == find_bases(kept / "b", KEY)
        assert check_base(base, KEY) > 500
        assert SECRET.encode() not in (base.directory / BASE_FILE).read_bytes()
        assert {base.directory.name, SERVER_FILE} == {each.name for each in (kept / "b").iterdir()}

    async def test_names_what_was_changed(self, server: Server, kept: Path) -> None:
        """A changed piece, a manifest written without the key, or another key: none passes."""
        base = await copied(server, kept / "b")
        piece, manifest = base.directory / BASE_FILE, base.directory / "manifest.json"
        whole, text = piece.read_bytes(), manifest.read_text()

        piece.write_bytes(whole[:-1])
        with pytest.raises(BackupBroken, match="manifest describes"):
            check_base(base, KEY)
        piece.write_bytes(whole)
        manifest.write_text(text.replace(base.sha256, "00" * 32))
        with pytest.raises(BackupBroken, match="was changed"):
            find_bases(kept / "b", KEY)
        manifest.write_text(text)
        with pytest.raises(BackupBroken, match="needs backup key"):
            find_bases(kept / "b", BackupKey(bytes(32)))

    async def test_leaves_nothing_when_it_fails(self, server: Server, kept: Path) -> None:
        """A wrong password ends in one sentence, without a half copy and without the password."""
        dsn = SecretStr(server.admin_dsn.replace("postgres:", "postgres:wrong-", 1))
        program = find_program("pg_basebackup", server.binaries)

        with pytest.raises(ServerFault, match="could not be copied") as raised:
            await asyncio.to_thread(
                take_base, dsn, kept / "b", KEY, home=kept, program=program, now=now
            )

        assert "wrong-" not in str(raised.value)
        assert [] == list((kept / "b").iterdir())


class TestRestore:
    async def test_goes_to_a_moment_or_to_the_end(self, server: Server, kept: Path) -> None:
        """Rows before the base, before a moment and after it: each place has those it should."""
        directory = kept / "b"
        async with keeping(server, directory, kept / "spool") as keeper:
            await say(server, 1)
            await copied(server, directory)
            await say(server, 2)
            moment = now()
            await asyncio.sleep(0.01)
            await say(server, 3)
            await tell(server, "SELECT pg_switch_wal()")
            await say(server, 4)
            await keeper.has_all_of(server)
        assert keeper.said[-1] is None

        await restore_server(
            directory, KEY, kept / "moment", to=moment, binaries=None, report=lambda _: None
        )
        async with start_server(kept / "moment", shared_buffers_mb=32) as again:
            assert [1, 2] == await heard(again)
            await goes_on_apart(again, directory, kept)
        assert [1, 2, 3, 4] == await restored(directory, kept / "end")
        assert [1, 2, 100, 101] == await restored(kept / "b2", kept / "end2")

    async def test_refuses_what_cannot_be_right(self, server: Server, kept: Path) -> None:
        """A moment before the first base, one after the log, a hole, a place with data, no key."""
        directory = kept / "b"
        early = now() - timedelta(minutes=1)
        await copied(server, directory)
        (kept / "full").mkdir()
        (kept / "full" / "x").write_text("mine")

        for root, to, key, sentence in (
            (kept / "a", early, KEY, "from before that moment"),
            (kept / "c", now() + timedelta(hours=1), KEY, "ends before"),
            (kept / "full", None, KEY, "holds data"),
            (kept / "d", None, BackupKey(bytes(32)), "needs backup key"),
        ):
            with pytest.raises(ServerFault, match=sentence):
                await restored(directory, root, to, key)
        assert "mine" == (kept / "full" / "x").read_text()

    async def test_refuses_a_hole_in_the_log(self, server: Server, kept: Path) -> None:
        """A lost file would end the replay quietly; it is named instead."""
        directory = kept / "b"
        async with keeping(server, directory, kept / "spool") as keeper:
            await copied(server, directory)
            for number in range(3):
                await say(server, number)
                await keeper.has_all_of(server)
        whole = [name for name in keeper.archive.names() if "partial" not in name]
        (keeper.archive.directory / f"{whole[-2]}.sealed").unlink()

        with pytest.raises(BackupBroken, match="lacks 1 files"):
            await restored(directory, kept / "r")

    async def test_takes_only_the_copy_of_the_manifest(self, server: Server, kept: Path) -> None:
        """An older copy that was put over the newest one is named, by the check and by restore."""
        one = await copied(server, kept / "b")
        await asyncio.sleep(1.01)  # A folder is named by its second.
        two = await copied(server, kept / "b")
        (two.directory / BASE_FILE).write_bytes((one.directory / BASE_FILE).read_bytes())

        with pytest.raises(BackupBroken, match="manifest describes"):
            check_base(two, KEY)
        with pytest.raises(BackupBroken, match="manifest describes"):
            await restored(kept / "b", kept / "r")

    async def test_leaves_nothing_that_starts_when_interrupted(
        self, server: Server, kept: Path
    ) -> None:
        """Data that are in their place know that they must recover first."""
        (server.data_directory / "postgresql.conf.new").mkdir()  # Writing settings fails here.
        await copied(server, kept / "b")

        with pytest.raises(ServerFault, match="cannot be filled"):
            await restored(kept / "b", kept / "r")

        (server.data_directory / "postgresql.conf.new").rmdir()
        assert (kept / "r" / "data.new").is_dir()
        assert not (kept / "r" / "data").exists()


async def goes_on_apart(again: Server, directory: Path, kept: Path) -> None:
    """See a restored server kept out of the old place, and archived in one of its own."""
    async with keeping(again, directory, kept / "spool2") as keeper:
        before = keeper.archive.names()
        await say(again, 100)
        await keeper.has_said("before it was restored")
        with pytest.raises(WrongServer, match="before it was restored"):
            await copied(again, directory)
    assert before == keeper.archive.names()
    base = await copied(again, kept / "b2")
    assert (2, True) == (base.lineage.timeline, bool(base.lineage.history))
    async with keeping(again, kept / "b2", kept / "spool2") as keeper:
        await say(again, 101)
        await keeper.has_all_of(again)
    assert keeper.said[-1] is None


class TestKeepArchive:
    async def test_loses_nothing_while_it_cannot_write(self, server: Server, kept: Path) -> None:
        """The place for backups is gone: it says so, keeps what comes, and catches up by itself."""
        directory = kept / "b"
        async with keeping(server, directory, kept / "spool") as keeper:
            await copied(server, directory)
            await keeper.until(lambda: keeper.said[-1:] == [None])
            await keeper.until((directory / "wal").is_dir)
            (directory / "wal").rename(directory / "aside")
            (directory / "wal").write_text("in the way")
            await say(server, 1)
            await tell(server, "SELECT pg_switch_wal()")
            await keeper.until(lambda: "is not archived" in (keeper.said[-1] or ""))
            (directory / "wal").unlink()
            (directory / "aside").rename(directory / "wal")
            await keeper.until(lambda: keeper.said[-1] is None)

        assert [1] == await restored(directory, kept / "r")

    async def test_goes_on_after_a_kill_of_its_receiver(self, server: Server, kept: Path) -> None:
        """The server keeps what was not received: after a kill and a pause there is no hole."""
        directory = kept / "b"
        async with keeping(server, directory, kept / "spool") as keeper:
            await copied(server, directory)
            await keeper.until(lambda: keeper.said[-1:] == [None])
            rows = await tell(server, "SELECT active_pid FROM pg_replication_slots")
            assert rows[0]["active_pid"]
            for pid in receivers(kept / "spool"):
                os.kill(pid, signal.SIGKILL)
            for number in range(3):
                await say(server, number)
                await keeper.has_all_of(server)

        assert [0, 1, 2] == await restored(directory, kept / "r")

    async def test_ends_with_its_process(self, server: Server, kept: Path) -> None:
        """When the keeper is left, no receiver stays and no password file either."""
        async with keeping(server, kept / "b", kept / "spool") as keeper:
            await keeper.until(lambda: bool(receivers(kept / "spool")))
            arguments = arguments_of(receivers(kept / "spool")[0])

        assert [] == receivers(kept / "spool")
        assert [] == list((kept / "spool").glob(".pgpass-*"))
        assert server.admin_dsn.split(":")[2].split("@")[0].encode() not in arguments

    async def test_what_the_server_keeps_is_seen_and_given_up(
        self, server: Server, kept: Path
    ) -> None:
        """When the archive is turned off the slot holds log for ever: it is named, and goes."""
        program = find_program("pg_receivewal", server.binaries)
        dsn = SecretStr(server.admin_dsn)
        async with open_pool(SecretStr(server.dsn), name="test", size=1) as pool:  # No superuser.
            none = await log_state(pool, SLOT)
            async with keeping(server, kept / "b", kept / "spool"):
                kept_now = await log_state(pool, SLOT)
            while (left := await log_state(pool, SLOT)).slot_is_active:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.05)
            await asyncio.to_thread(drop_slot, dsn, kept / "spool", program=program)
            gone = await log_state(pool, SLOT)
        base = await copied(server, kept / "b")

        states = (none, kept_now, left, gone)
        assert [None, True, False, None] == [each.slot_is_active for each in states]
        assert [None, None, None] == [slot_problem(each) for each in (none, kept_now, gone)]
        assert "lesko backup --stop" in (slot_problem(left) or "")
        assert (gone.system, gone.timeline) == base.lineage[:2]


def arguments_of(pid: int) -> bytes:
    """Return what everybody on the machine may read of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def receivers(spool: Path) -> list[int]:
    """Return the receivers that write there."""
    found = subprocess.run(
        ["pgrep", "-f", f"pg_receivewal.*{spool}"], capture_output=True, text=True, check=False
    )
    return [int(line) for line in found.stdout.split()]
