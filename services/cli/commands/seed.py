"""``lesko seed``: fill the demo data of edc.md."""

import asyncio
from typing import Annotated

import typer

from libs.clock import SystemClock
from libs.vault import generate_demo_keys
from services.cli.database import need_logins, need_schemas
from services.cli.money import parse_rupiah
from services.cli.screen import progress_bar, screen, write_json
from services.cli.seeding.fill import SeedOrder, Target, fill
from services.cli.seeding.rules import read_rules
from services.cli.settings import Settings


def seed(
    *,
    cards: Annotated[int, typer.Option(min=1, help="How many cards.")] = 1_000,
    outlets: Annotated[int, typer.Option(min=1, max=99_999, help="How many outlets.")] = 50,
    balance: Annotated[
        str | None, typer.Option(help="Opening balance of the own purse, rupiah.")
    ] = None,
    first_serial: Annotated[int, typer.Option(min=1, help="Serial of the first card.")] = 1,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Terminals must send a MAC.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Fill demo cards, outlets, terminals, products and opening balances; twice changes nothing."""
    settings = Settings()
    order = SeedOrder(
        cards=cards,
        outlets=outlets,
        first_serial=first_serial,
        own_minor=None if balance is None else parse_rupiah(balance),
        with_keys=with_keys,
    )
    written = asyncio.run(_seed(settings, order))
    if as_json:
        write_json({"cards": cards, "new_cards": written, "outlets": outlets})
        return
    screen().print(f"{cards} cards ({written} new), {outlets} outlets, balances opened.")


async def _seed(settings: Settings, order: SeedOrder) -> int:
    logins = need_logins(settings)
    await need_schemas(logins)
    generate_demo_keys(settings.keys_directory)
    target = Target(logins=logins, keys_directory=settings.keys_directory, clock=SystemClock())
    with progress_bar(screen()) as bar:
        tasks = {name: bar.add_task(name) for name in ("opening balances", "cards")}
        return await fill(
            read_rules(),
            order,
            target,
            lambda what, done, total: bar.update(tasks[what], completed=done, total=total),
        )
