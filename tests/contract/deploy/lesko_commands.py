"""Command lines of ``lesko`` read by the real command, which is not run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from services.cli.main import build_app

USAGE: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises for every command line that does not fit."""
SERVICES = Path(__file__).resolve().parents[3] / "services"


def known_services() -> set[str]:
    """Return what ``lesko serve`` may be asked for."""
    return {path.parent.name for path in SERVICES.glob("*/main.py")} - {"cli"}


def problem_of(arguments: Sequence[str]) -> str | None:
    """Say what is wrong with the words behind ``lesko``; None when it would run."""
    words = list(arguments)
    command: Any = typer.main.get_command(build_app())
    name, above = "lesko", None
    try:
        while isinstance(command, TyperGroup):
            if not words:
                return f"a command is missing behind {name}"
            above = command.make_context(name, list(words), parent=above)
            rest = [*above._protected_args, *above.args]
            found, command, words = command.resolve_command(above, rest)
            name = found or name
        command.make_context(name, list(words), parent=above)
    except USAGE as problem:
        return str(problem)
    if name == "serve":
        asked = {word for word in words if not word.startswith("-")}
        unknown = sorted(asked - known_services())
        return f"there is no service {', '.join(unknown)}" if unknown else None
    return None
