"""``lesko iso view``: decode a captured message for a person."""

import sys
from typing import Annotated

import typer

from services.cli.iso.show import decode_hex, edc_dialect, message_json, show_message
from services.cli.screen import screen, write_json


def view(
    frame: Annotated[str, typer.Argument(metavar="HEX|-", help="Hex, or - to read it from input.")],
    *,
    dialect: Annotated[str, typer.Option(help="Dialect to read it by.")] = "edc",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Decode a hex frame, with or without length and TPDU; card data stays masked."""
    rules = edc_dialect(dialect)
    captured, message = decode_hex(sys.stdin.read() if frame == "-" else frame, rules)
    if as_json:
        write_json({"tpdu": captured.tpdu, **message_json(message, rules)})
        return
    console = screen()
    title = f"{len(captured.message)} bytes"
    if captured.tpdu:
        title += f", TPDU {captured.tpdu}"
    show_message(console, message, rules, title=title)
    if message.broken is not None:
        console.print(f"Broken at DE{message.broken_field}: {message.broken}")
