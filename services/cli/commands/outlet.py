"""``lesko outlet``: shops (DE42), one by one and from a file."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.cli.commands.registry_entries import (
    GroupNames,
    Kind,
    MayReason,
    admin,
    given,
    register_reads,
    register_steps,
    tell,
    wanted_groups,
)
from services.cli.csv_file import CsvFile, CsvProblem, CsvRow, read_csv
from services.cli.faults import CommandRefused
from services.cli.screen import progress_bar, screen, write_table

KIND: Final = Kind("outlet", ("code", "name", "region", "groups", "status", "version"))
REQUIRED: Final = ("code", "name", "region", "groups")
OPTIONAL: Final = ("terminal", "listener")
PROBLEMS_SHOWN: Final = 100
ROWS_MAX: Final = 20_000

Code = Annotated[str, typer.Argument(help="DE42, 15 characters.")]
Region = Annotated[str | None, typer.Option(help="Its region, which scopes of operators name.")]


def register(app: typer.Typer) -> None:
    """Add the commands of outlets to their group."""
    app.command("add")(add)
    app.command("set")(set_)
    app.command("import")(import_)
    register_steps(app, KIND, "pause", "resume", "close")
    register_reads(app, KIND)


def add(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Its name, as people know it.")],
    region: Region = None,
    group: GroupNames = None,
    reason: MayReason = "",
) -> None:
    """Add an outlet; its terminals are added with `lesko terminal add`."""
    body = given(code=code, name=name, region=region, groups=group or None, reason=reason)
    tell(KIND, admin().post(KIND.path, body))


def set_(
    code: Code,
    *,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    region: Region = None,
    group: GroupNames = None,
    no_groups: Annotated[bool, typer.Option("--no-groups", help="Take it out of all.")] = False,
    reason: MayReason = "",
) -> None:
    """Change an outlet; what is not given stays, groups are replaced by those given."""
    groups = wanted_groups(group, none=no_groups)
    body = given(name=name, region=region, groups=groups, reason=reason)
    tell(KIND, admin().patch(KIND.path_of(code), body))


def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the header code,name,region,groups.")],
    *,
    without_mac: Annotated[
        bool, typer.Option("--without-mac", help="Pilot only: its terminals may leave out MACs.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing, list problems.")] = False,
) -> None:
    """Add the outlets of a CSV file, all of them or none.

    Columns: code, name, region, groups (separated by semicolons), and where the outlets come with
    their terminal: terminal, listener. Every problem of the whole file is listed first.
    """
    found = read_csv(file, required=REQUIRED, optional=OPTIONAL)
    if len(found.rows) > ROWS_MAX:
        message = f"{file} has more than {ROWS_MAX:,} rows; split it into several files."
        raise CommandRefused(message)
    body = _body(found, without_mac=without_mac, is_check=check or bool(found.problems))
    with progress_bar(screen()) as bar:
        sending = bar.add_task("outlets", total=len(found.rows))
        answer = admin().post(f"{KIND.path}/import", body)
        bar.update(sending, completed=len(found.rows))
    _tell_import(file, found, answer, check=check)


def _body(found: CsvFile, *, without_mac: bool, is_check: bool) -> dict[str, Any]:
    return {
        "rows": [_row(row) for row in found.rows],
        "sha256": found.sha256,
        "may_omit_mac": without_mac,
        "is_check": is_check,
    }


def _row(row: CsvRow) -> dict[str, Any]:
    cells = dict(row.cells)
    groups = [group.strip() for group in cells.pop("groups").split(";")]
    if not cells["listener"]:
        del cells["listener"]
    return {"row": row.row, **cells, "groups": [group for group in groups if group]}


def _tell_import(file: Path, found: CsvFile, answer: dict[str, Any], *, check: bool) -> None:
    """Say what was added, or list what is wrong; raises CommandRefused for the latter."""
    if answer["is_imported"]:
        outlets, terminals = answer["outlets"], answer["terminals"]
        screen().print(f"Added {outlets:,} outlets and {terminals:,} terminals from {file}.")
        return
    count = len(found.problems) + answer["count"]
    if check and not count:
        screen().print(f"{file} has no problem: {len(found.rows):,} rows. Nothing was written.")
        return
    problems = [*found.problems, *(CsvProblem(**one) for one in answer["problems"])]
    shown = sorted(problems)[:PROBLEMS_SHOWN]
    cells = [(str(one.row), one.column, one.sentence) for one in shown]
    write_table(screen(), ("row", "column", "what is wrong"), cells)
    more = f", of which {len(shown)} are shown" if count > len(shown) else ""
    message = f"{file} has {count:,} problems{more}; nothing was written. Mend them and try again."
    raise CommandRefused(message)
