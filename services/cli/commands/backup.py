"""``lesko backup``: an encrypted copy of the whole database, and the log that leads on from it."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.clock import SystemClock
from libs.outcome import Fault
from libs.pg.archive import WalArchive
from libs.pg.archive_keeper import drop_slot
from libs.pg.backup import check_base, find_bases, take_base
from libs.vault import SealBroken, make_backup_key
from services.cli.background import running
from services.cli.backups import keep_wal, need_directory, need_key, program_of, source_of
from services.cli.faults import CommandRefused
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings
from services.cli.signals import run_until_stopped
from services.cli.wal_status import spool_of

To = Annotated[
    Path | None, typer.Option("--to", help="Where backups go; else LESKO_BACKUP__DIRECTORY.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.callback(invoke_without_command=True, no_args_is_help=False)(backup)
    app.command("init-key")(init_key)
    app.command()(wal)


def backup(
    context: typer.Context,
    *,
    to: To = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Decrypt and verify everything in there.")
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Give up the archive: the server keeps no log for it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Copy the database, encrypted, and read the copy back; nothing is ever overwritten."""
    if context.invoked_subcommand is not None:
        return
    settings = Settings()
    if check is not None:
        _check(settings, check.absolute(), as_json=as_json)
        return
    if stop:
        _stop(settings)
        return
    directory, key = need_directory(settings, to), need_key(settings)
    program = program_of(settings, "pg_basebackup")
    home = spool_of(settings)
    base = take_base(source_of(settings), directory, key, home=home, program=program, now=_now)
    if as_json:
        write_json({"base": str(base.directory), "bytes": base.size, "sha256": base.sha256})
        return
    screen().print(
        f"Copied to {base.directory}: {base.size // 1000} kB, encrypted, read back and verified. "
        f"Keep the key {settings.backup_key_file} in another place too: "
        "without it no backup can be opened."
    )


def _stop(settings: Settings) -> None:
    program = program_of(settings, "pg_receivewal")
    drop_slot(source_of(settings), spool_of(settings), program=program)
    screen().print(
        "The server keeps no log for the archive any more; only the moments of base backups can be"
        " reached from now on. Where LESKO_BACKUP__DIRECTORY is set, lesko run begins anew."
    )


def init_key() -> None:
    """Make a random key for backups where none is; keep a copy of it away from this machine."""
    path = Settings().backup_key_file
    if not make_backup_key(path):
        message = f"{path} is there already; it was left as it is."
        raise CommandRefused(message)
    screen().print(f"Made {path}. Keep a copy in another place: without it no backup opens.")


def wal(*, to: To = None) -> None:
    """Archive the server's log all the time, until Ctrl-C; lesko run does it by itself."""
    settings = Settings()
    directory = need_directory(settings, to)
    need_key(settings)
    run_until_stopped(partial(_keep, settings, directory, screen()))


async def _keep(settings: Settings, directory: Path, console: Console, stop: asyncio.Event) -> None:
    said: list[str | None] = []

    def report(problem: str | None) -> None:
        if [problem] != said:
            console.print(problem or f"The server's log is archived in {directory}.")
            said[:] = [problem]

    async with running(keep_wal(settings, directory, SystemClock(), report)):
        await stop.wait()


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)


def _check(settings: Settings, directory: Path, *, as_json: bool) -> None:
    key = need_key(settings)
    bases = find_bases(directory, key)
    if not bases:
        message = f"{directory} holds no base backup."
        raise CommandRefused(message)
    archive = WalArchive(directory, key)
    wrong: list[str] = []
    rows = []
    for base in bases:
        try:
            found = f"{check_base(base, key)} files, all as the server wrote them"
        except Fault as fault:
            found = str(fault)
            wrong.append(found)
        rows.append((base.directory.name, found))
    for name in archive.names():
        try:
            for _ in archive.read(name):
                pass
        except (SealBroken, OSError) as broken:
            rows.append((name, str(broken)))
            wrong.append(str(broken))
    reach = archive.reach(bases[-1].first_segment)
    if reach.missing:
        wrong.append(f"the log lacks {len(reach.missing)} files from {reach.missing[0]} on")
    rows.append(("log", wrong[-1] if reach.missing else _reach_text(reach.files, reach.last)))
    if as_json:
        write_json({"clean": not wrong, "bases": len(bases), "findings": wrong})
    else:
        write_table(screen(), ("piece", "found"), rows)
    if wrong:
        raise typer.Exit(1)


def _reach_text(files: int, last: str) -> str:
    if not last:
        return "none: only the moments of the base backups can be reached (lesko backup wal)"
    return f"{files} files without a hole, the last is {last}"
