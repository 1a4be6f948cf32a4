"""``lesko iso lint``: check dialect directories."""

from pathlib import Path
from typing import Annotated

import typer

from libs.iso8583.lint import lint_dialect
from services.cli.iso.show import DIALECTS
from services.cli.screen import screen, write_json


def lint(
    directories: Annotated[
        list[Path] | None, typer.Argument(help="Dialect directories; none: all of proto/iso8583.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Check that dialects can be read, are complete and contradict nothing."""
    found = directories or sorted(path for path in DIALECTS.iterdir() if path.is_dir())
    problems = {str(directory): lint_dialect(directory) for directory in found}
    if as_json:
        write_json(problems)
    else:
        console = screen()
        for directory, complaints in problems.items():
            console.print(f"{directory}: {'good' if not complaints else ''}")
            for complaint in complaints:
                console.print(f"  {complaint}")
    if any(problems.values()):
        raise typer.Exit(1)
