"""``lesko ledger recover``: bring restored books up to what was answered after the backup."""

import asyncio
import csv
import getpass
import json
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr
from rich.console import Console

from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.clock import SystemClock, business_day
from libs.outcome import Fault, Outcome
from libs.pg import open_pool
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.handlers.recover_books import Recovered
from services.card_ledger.main import recover as recover_books
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.admin_client import AdminClient
from services.cli.database import need_dsn
from services.cli.faults import CommandRefused
from services.cli.kafka_topics import kafka_in_use
from services.cli.local import open_database
from services.cli.local_bus import open_bus
from services.cli.screen import progress_bar, screen
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.store.book_ends import last_rows

ACTION: Final = "ledger.recover"
GOOD_FOR_MS: Final = 86_400_000
"""An approval of today says nothing about the next accident."""


def recover(
    *,
    proposal: Annotated[
        int | None, typer.Option(min=1, help="An approved proposal of ledger.recover.")
    ] = None,
    propose: Annotated[
        str, typer.Option(metavar="REASON", help="Propose it; a second person approves.")
    ] = "",
    emergency: Annotated[
        str, typer.Option(metavar="REASON", help="Admin is down: go on without a proposal.")
    ] = "",
    terminals: Annotated[
        bool, typer.Option("--terminals", help="Only list each terminal's last row, as CSV.")
    ] = False,
) -> None:
    """Replay the entries on Kafka into the books, each checked by its hash; may be run again.

    Without Kafka nothing can be replayed: a list of each terminal's last row is written instead,
    with which the terminals' own journals are compared.
    """
    settings, console = Settings(), screen()
    if propose:
        AdminClient(settings).post("/v1/ledger/recoveries", {"reason": propose})
        return
    if not terminals:
        check_allowed(settings, AdminClient(settings), proposal, emergency)
    asyncio.run(_recover(settings, console, only_list=terminals))


def check_allowed(
    settings: Settings, admin: AdminClient, proposal: int | None, emergency: str
) -> None:
    """Ask for two people while admin can tell of them, else for a reason, and write it down.

    A database that was restored may not hold the proposal any more, and admin may be down.
    Whoever has the database's password at this machine is not held up by this. Raises
    CommandRefused.
    """
    if proposal is not None:
        found = admin.get(f"/v1/proposals/{proposal}")
        if (found["action"], found["state"]) != (ACTION, "approved"):
            message = (
                f"Proposal {proposal} is {found['action']}, {found['state']}: an approved one of "
                f"{ACTION} is needed."
            )
            raise CommandRefused(message)
        if SystemClock().now_ms() - int(found["decided_ms"]) > GOOD_FOR_MS:
            message = f"Proposal {proposal} was approved more than a day ago: propose it anew."
            raise CommandRefused(message)
        who = f"{found['maker']} and {found['checker']}"
        _note(settings, {"proposal": proposal, "people": who, "reason": found["reason"]})
        return
    if not emergency:
        message = (
            "Recovery takes two people: lesko ledger recover --propose REASON, then a second one "
            "runs lesko approval approve, then lesko ledger recover --proposal NUMBER. "
            "While admin is down: --emergency REASON."
        )
        raise CommandRefused(message)
    if _is_up(admin):
        message = "Admin answers: use --proposal NUMBER; --emergency is for when it is down."
        raise CommandRefused(message)
    _note(settings, {"emergency": emergency})


def _is_up(admin: AdminClient) -> bool:
    try:
        admin.get("/v1/proposals", open="true")
    except Fault as fault:
        return not str(fault).startswith("No admin can be reached")
    return True


def _note(settings: Settings, what: dict[str, object]) -> None:
    """Write down, outside of the database, who recovered the books and why."""
    path = settings.home / "log" / "recovery.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).isoformat()
    line = {"at": at, "user": getpass.getuser(), **what}
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line, ensure_ascii=False)}\n")


async def _recover(settings: Settings, console: Console, *, only_list: bool) -> None:
    async with AsyncExitStack() as stack:
        dsn = await _database(settings, stack, console)
        kafka = None if only_list else await _kafka(settings, stack, console)
        if kafka is None:
            await _list_terminals(dsn, to_screen=only_list, console=console)
            return
        done = await _replay(dsn, kafka)
    _show(done, console)


async def _replay(dsn: SecretStr, kafka: KafkaSettings) -> Recovered:
    clock = SystemClock()
    settings = LedgerSettings.model_validate({"postgres": {"dsn": dsn}})
    bus = KafkaBus(kafka, clock, client="lesko-ledger-recover")
    today = business_day(clock.now_ms(), ZoneInfo(settings.card_ledger.business_zone))
    await bus.start()
    try:
        with progress_bar(screen()) as bar:
            task = bar.add_task("batches", total=None)
            return await recover_books(
                settings, bus, today, lambda count: bar.update(task, completed=count)
            )
    finally:
        await bus.stop()


async def _database(settings: Settings, stack: AsyncExitStack, console: Console) -> SecretStr:
    """Return the database that is up, else start our own for the time of this command."""
    if settings.postgres.dsn is None and read_standing(settings.home) is None:
        if not (settings.home / "postgres" / "port").exists():
            return need_dsn(settings)  # Says what to do.
        database = await stack.enter_async_context(open_database(settings, console.print))
        return database.dsn
    return need_dsn(settings)  # The owner of the tables: no service may write books by hand.


async def _kafka(
    settings: Settings, stack: AsyncExitStack, console: Console
) -> KafkaSettings | None:
    """Return the Kafka in use, else our own broker where its data are; None: the memory bus."""
    known = kafka_in_use(settings)
    if known is None and (settings.home / "kafka").is_dir():
        chosen, _ = await stack.enter_async_context(
            open_bus(settings, on_kafka=True, say=console.print)
        )
        known = chosen.kafka
    return known


async def _list_terminals(dsn: SecretStr, *, to_screen: bool, console: Console) -> None:
    async with open_pool(dsn, name="lesko ledger recover", size=1) as pool:
        rows = await last_rows(pool)
    if not to_screen:
        console.print(
            "There is no Kafka here, so no entry can be brought back: what was booked after these "
            "rows is known only to the terminals. Of each one, compare its journal behind this "
            "row: what it holds as paid must be booked again or reversed."
        )
    writer = csv.writer(sys.stdout)
    writer.writerow(("outlet", "terminal", "stan", "at", "kind", "outcome", "amount_minor"))
    for row in rows:
        writer.writerow(
            (
                row.outlet,
                row.terminal,
                f"{row.stan:06d}",
                row.at.isoformat(timespec="milliseconds"),
                TransferKind(row.kind).name.lower(),
                Outcome.of(row.outcome).name.lower(),
                row.asked,
            )
        )


def _show(done: Recovered, console: Console) -> None:
    if not done.batches:
        console.print(
            "Nothing was missing: the books hold every batch that Kafka knows of. "
            f"They are incarnation {done.incarnation}."
        )
    else:
        console.print(
            f"Brought back {done.rows} rows in {done.batches} batches, each as its hash says. "
            f"The books are incarnation {done.incarnation} now; the ledger may start."
        )
    if done.opened:
        console.print(f"Opened {done.opened} purses as they had been opened after the backup.")
    if done.without_terms:
        numbers = ", ".join(map(str, done.without_terms[:20]))
        console.print(
            f"{len(done.without_terms)} purses had been opened after the backup in a way that "
            f"Kafka does not know (lesko seed): they have no ceiling and no last day now: {numbers}"
        )
    console.print(
        "Cards and operators that were changed after the backup are not in the entries: import or "
        "change them again, blocked cards first. Then: lesko ledger verify."
    )
