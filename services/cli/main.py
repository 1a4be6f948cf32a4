"""The ``lesko`` command: its tree of commands, and the one place where trouble becomes words."""

import importlib.metadata
import sys
from typing import Annotated

import typer

from services.cli.commands import (
    approval_group,
    audit_group,
    backup,
    card_group,
    dead_list,
    operator_group,
    outlet,
    outlet_group,
    product,
    programme,
    terminal,
    wallet_group,
)
from services.cli.commands.doctor import doctor
from services.cli.commands.iso_lint import lint
from services.cli.commands.iso_send import send
from services.cli.commands.iso_view import view
from services.cli.commands.ledger_close_day import close_day
from services.cli.commands.ledger_head import head
from services.cli.commands.ledger_recover import recover
from services.cli.commands.ledger_verify import verify
from services.cli.commands.migrate import migrate
from services.cli.commands.restore import restore
from services.cli.commands.run import run
from services.cli.commands.seed import seed
from services.cli.commands.serve import serve
from services.cli.commands.sign_in import sign_in
from services.cli.commands.sign_out import sign_out
from services.cli.commands.topics_apply import apply
from services.cli.commands.topics_check import check
from services.cli.faults import sentence_of
from services.cli.screen import complain

DISTRIBUTION = "lesko-switch"


def build_app() -> typer.Typer:
    """Return the whole tree of commands."""
    app = _group("The Lesko payment switch.")
    app.callback()(_options)
    for own in (run, serve, migrate, seed, doctor, restore):
        app.command()(own)
    for of_session in (sign_in, sign_out):
        app.command()(of_session)
    iso = _group("Look at ISO 8583 messages, and send them as a terminal would.")
    for of_iso in (view, send, lint):
        iso.command()(of_iso)
    ledger = _group("Look at the books.")
    for of_ledger in (verify, head, close_day, recover):
        ledger.command()(of_ledger)
    topics = _group("Make and check the topics on Kafka.")
    for of_topics in (apply, check):
        topics.command()(of_topics)
    _add_groups(app)
    app.add_typer(iso, name="iso")
    app.add_typer(ledger, name="ledger")
    app.add_typer(topics, name="topics")
    return app


def _add_groups(app: typer.Typer) -> None:
    """Add what are clients of admin and of the machine, each group by its own page."""
    for name, text, register in (
        ("approval", "The second person: proposals and the word on them.", approval_group.register),
        ("audit", "Who did or tried what, and whether that is sound.", audit_group.register),
        ("heads", "Where the chains end, kept outside.", audit_group.register_heads),
        ("admin", "The operators' API.", audit_group.register_admin),
        ("backup", "Copy the database, encrypted, and archive its log.", backup.register),
        ("card", "What cards are and may do; new ones from a file.", card_group.register),
        ("dead", "Look at records that no service could handle.", dead_list.register),
        ("outlet", "Shops: DE42.", outlet.register),
        ("group", "Outlet groups, which rules and scopes name.", outlet_group.register),
        ("terminal", "Devices of outlets: DE41.", terminal.register),
        ("product", "Dated parameters of cards.", product.register),
        ("programme", "Where restricted money may go.", programme.register),
        ("operator", "People: who may do what and where.", operator_group.register),
        ("wallet", "What wallets hold, their statements and adjustments.", wallet_group.register),
    ):
        group = _group(text)
        register(group)
        app.add_typer(group, name=name)


def main() -> None:
    """Run the command; trouble ends as one sentence and exit code 1."""
    try:
        build_app()()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as problem:
        sentence = sentence_of(problem)
        if sentence is None:
            raise  # A mistake of ours: its place is worth more than its manners.
        complain(sentence)
        sys.exit(1)


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer's form of an eager option.
    if wanted:
        try:
            version = importlib.metadata.version(DISTRIBUTION)
        except importlib.metadata.PackageNotFoundError:
            version = "(run from its sources, not installed)"
        print(f"lesko {version}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Run, fill, ask and check the Lesko payment switch."""


if __name__ == "__main__":
    main()
