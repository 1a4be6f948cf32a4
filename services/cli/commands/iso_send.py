"""``lesko iso send``: be a terminal for one message."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from libs.clock import Clock, SystemClock
from libs.iso8583 import Codec, Dialect, Message
from services.cli.faults import CommandRefused
from services.cli.iso.line import open_line
from services.cli.iso.requests import TPDU, Operation, Wish, build_request, fresh_stan
from services.cli.iso.show import edc_dialect, message_json, show_message
from services.cli.money import parse_rupiah
from services.cli.screen import screen, write_json
from services.cli.seeding.plan import card_number, outlet_code, terminal_code
from services.cli.seeding.rules import read_rules
from services.cli.settings import Settings

ANSWER_MS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was sent, as the other side reads it, and what came back."""

    request: Message
    answer: Message
    took_ms: int


async def exchange(
    wish: Wish, dialect: Dialect, host: str, port: int, *, timeout_ms: int, clock: Clock
) -> Exchange:
    """Send one message on a connection of its own; raises NoTerminalPort or Silence."""
    codec = Codec(dialect)
    message = codec.encode(*build_request(wish))
    async with open_line(host, port, dialect) as line:
        started = clock.monotonic_ms()
        answer = await line.ask(TPDU, message, timeout_ms=timeout_ms)
        took_ms = clock.monotonic_ms() - started
    return Exchange(request=codec.decode(message), answer=answer, took_ms=took_ms)


def local_now(clock: Clock, dialect: Dialect) -> datetime:
    """Return the terminal's local time, which has the listener's zone."""
    return datetime.fromtimestamp(clock.now_ms() / 1000, ZoneInfo(dialect.transport.zone))


def send(  # noqa: PLR0913 -- one option for each thing a terminal says.
    operation: Annotated[Operation, typer.Argument(help="What to send.")],
    *,
    host: Annotated[str | None, typer.Option(help="Terminal port's host.")] = None,
    port: Annotated[int | None, typer.Option(help="Terminal port.")] = None,
    terminal: Annotated[str | None, typer.Option(help="DE41; default: first demo one.")] = None,
    outlet: Annotated[str | None, typer.Option(help="DE42; default: first demo one.")] = None,
    card_serial: Annotated[int | None, typer.Option(help="A demo card by its serial.")] = None,
    pan: Annotated[str | None, typer.Option(help="A card number; - reads it from input.")] = None,
    amount: Annotated[str, typer.Option(help="Rupiah, as 50000 or 50000.25.")] = "0",
    stan: Annotated[int | None, typer.Option(min=0, max=999_999, help="DE11.")] = None,
    date: Annotated[str, typer.Option(help="DE13, MMDD; default: today.")] = "",
    expiry: Annotated[str, typer.Option(help="DE14, YYMM.")] = "",
    goods: Annotated[str, typer.Option(help="DE48, as GC160001000005000000.")] = "",
    rrn: Annotated[str, typer.Option(help="DE37, 12 characters.")] = "",
    timeout_ms: Annotated[int, typer.Option(min=1, help="Wait so long.")] = ANSWER_MS_MAX,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Send one message to a terminal port and show it and its answer, card data masked."""
    settings, dialect, rules = Settings(), edc_dialect(), read_rules()
    clock = SystemClock()
    local = local_now(clock, dialect)
    wish = Wish(
        operation=operation,
        terminal=terminal or terminal_code(rules.outlets, 1),
        outlet=outlet or outlet_code(rules.outlets, 1),
        stan=fresh_stan(local) if stan is None else stan,
        local=local,
        pan=_pan(pan, card_serial) if operation is not Operation.ECHO else "",
        amount_minor=parse_rupiah(amount),
        date_mmdd=date,
        expiry=expiry,
        goods=goods,
        rrn=rrn,
    )
    where = (host or settings.iso_bridge.host, port or settings.iso_bridge.port)
    found = asyncio.run(exchange(wish, dialect, *where, timeout_ms=timeout_ms, clock=clock))
    _show(found, dialect, as_json=as_json)


def _pan(pan: str | None, serial: int | None) -> str:
    if pan is not None:
        digits = sys.stdin.readline().strip() if pan == "-" else pan
        if not digits.isdigit():
            sentence = "A card number has digits only."
            raise CommandRefused(sentence)
        return digits
    return card_number(read_rules().cards, serial if serial is not None else 1)


def _show(found: Exchange, dialect: Dialect, *, as_json: bool) -> None:
    if as_json:
        answer = message_json(found.answer, dialect)
        code = found.answer.fields.get(39)
        write_json(
            {
                "request": message_json(found.request, dialect),
                "answer": answer,
                "response_code": code,
                "took_ms": found.took_ms,
            }
        )
        return
    console = screen()
    show_message(console, found.request, dialect, title="sent")
    show_message(console, found.answer, dialect, title=f"answered after {found.took_ms} ms")
