"""``lesko approval show``: a proposal with all of its content, as the second person reads it."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings

_SHOWN = (
    *("number", "state", "action", "entity", "reason", "document", "maker", "checker"),
    *("decision", "version", "hash"),
)


def show(
    number: Annotated[int, typer.Argument(min=1, help="The proposal's number.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show one proposal: what it would do, why, and the hash that an approval agrees to."""
    found = AdminClient(Settings()).get(f"/v1/proposals/{number}")
    if as_json:
        write_json(found)
        return
    show_proposal(screen(), found)


def show_proposal(console: Console, found: dict[str, Any]) -> None:
    """Write a proposal as a person reads it, its content whole."""
    rows = [(name, str(found[name])) for name in _SHOWN if found[name] not in ("", None)]
    rows += [(f"content: {key}", _text(value)) for key, value in found["content"].items()]
    write_table(console, ("what", "is"), rows)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
