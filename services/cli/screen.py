"""How the command writes: tables for people, JSON for machines, trouble to the error stream."""

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

PIPE_WIDTH = 132
"""Where no terminal says how wide it is."""


def screen() -> Console:
    """Return the console of people's output; plain text where no terminal reads."""
    is_seen = sys.stdout.isatty()
    return Console(
        highlight=False, markup=False, soft_wrap=not is_seen, width=None if is_seen else PIPE_WIDTH
    )


def complain(sentence: str) -> None:
    """Write one sentence of trouble to the error stream."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"lesko: {sentence}")


def write_json(value: object) -> None:
    """Write one JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def write_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    show_header: bool = True,
) -> None:
    """Write a table; the last column takes what room is left."""
    table = Table(title=title or None, title_justify="left", show_header=show_header)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def progress_bar(console: Console) -> Progress:
    """Return a bar that shows itself only where a person looks."""
    return Progress(
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
