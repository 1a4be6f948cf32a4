"""What the commands of all registry entries have in common: steps, show, list, and what is said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import typer

from libs.money import rupiah
from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings

ROWS_AT_ONCE: Final = 500
SETS_SHOWN: Final = 6
"""The latest ones of a product; all of them stand in the JSON."""
_MINOR: Final = "_minor"

AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON.")]
MayReason = Annotated[str, typer.Option("--reason", help="Why; it stands in the audit.")]
MustReason = Annotated[str, typer.Option("--reason", help="Why; needed for the audit.")]
GroupNames = Annotated[
    list[str] | None, typer.Option("--group", help="An outlet group; give it once for each.")
]

Fields = Mapping[str, Any]


class Kind(NamedTuple):
    """One kind of entry."""

    name: str  # "outlet", as commands and sentences call it.
    columns: Sequence[str]  # Of `list`, as the API names the fields.
    what: str = "Code"  # What names one of them.

    @property
    def path(self) -> str:
        """Where the API serves them."""
        return f"/v1/{self.name}s"

    def path_of(self, code: str) -> str:
        """Where the API serves one of them."""
        return f"{self.path}/{quote(code, safe='')}"


def admin() -> AdminClient:
    """Return the client of the operators' API, as the settings say."""
    return AdminClient(Settings())


def tell(kind: Kind, answer: Fields) -> None:
    """Say what became of an entry; of a proposal the client has told already."""
    if "proposal" in answer:
        return
    code = answer.get("code", answer.get("number"))
    version = answer["version"]
    screen().print(f"{kind.name.title()} {code}: {answer['status']}, version {version}.")


def given(**values: object) -> dict[str, object]:
    """Return the values that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}


def wanted_groups(names: list[str] | None, *, none: bool) -> list[str] | None:
    """Return the groups that are to stand there; None: those that do."""
    return [] if none else names or None


def register_steps(app: typer.Typer, kind: Kind, *verbs: str) -> None:
    """Add pause, resume or close."""
    for verb in verbs:
        app.command(verb, help=_STEPS[verb].format(kind=kind.name))(_step(kind, verb))


def register_reads(app: typer.Typer, kind: Kind) -> None:
    """Add show and list."""

    def show(
        code: Annotated[str, typer.Argument(help=f"{kind.what} of the {kind.name}.")],
        *,
        as_json: AsJson = False,
    ) -> None:
        found = admin().get(kind.path_of(code))
        if as_json:
            write_json(found)
        else:
            show_fields(found)

    def list_(
        *,
        rows: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
        as_json: AsJson = False,
    ) -> None:
        found = [row for _, row in zip(range(rows), _all(kind), strict=False)]
        if as_json:
            write_json(found)
            return
        write_table(
            screen(),
            kind.columns,
            [[text_of(row[column]) for column in kind.columns] for row in found],
        )

    app.command("show", help=f"Show one {kind.name}.")(show)
    app.command("list", help=f"List the {kind.name}s of your scope, closed ones too.")(list_)


def show_fields(found: Fields) -> None:
    """Write an entry as a person reads it; its parts that are tables come behind."""
    tables = {name: value for name, value in found.items() if is_table(value)}
    plain = [(name, text_of(value)) for name, value in found.items() if name not in tables]
    write_table(screen(), ("what", "is"), plain)
    for name, rows in tables.items():
        write_table(screen(), *across(rows[-SETS_SHOWN:]), title=name)


def across(rows: Sequence[Fields]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return heads and cells of a table with a column for each row: there are few, and wide."""
    key, *others = rows[0]
    heads = [key, *(text_of(row[key]) for row in rows)]
    cells = [
        [name.removesuffix(_MINOR), *(_cell(name, row[name]) for row in rows)] for name in others
    ]
    return heads, cells


def _cell(column: str, value: object) -> str:
    """Return an amount as rupiah, anything else as it is."""
    if column.endswith(_MINOR) and isinstance(value, int):
        return rupiah(value)
    return text_of(value)


def is_table(value: object) -> bool:
    """Tell whether a field holds rows."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def text_of(value: object) -> str:
    """Return a field as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)


def _step(kind: Kind, verb: str) -> Callable[..., None]:
    def step(
        code: Annotated[str, typer.Argument(help=f"{kind.what} of the {kind.name}.")],
        *,
        reason: MustReason,
    ) -> None:
        tell(kind, admin().post(f"{kind.path_of(code)}/{verb}", {"reason": reason}))

    return step


def _all(kind: Kind) -> Iterator[Fields]:
    client, after = admin(), ""
    while True:
        page = client.get(kind.path, after=after, rows_max=ROWS_AT_ONCE)
        yield from page["rows"]
        after = page["after"]
        if not after:
            return


_STEPS: Final = {
    "pause": "Pause a {kind} until it is resumed: new purchases are refused, reversals go on.",
    "resume": "Resume a paused {kind}.",
    "close": "Close a {kind} for ever.",
}
