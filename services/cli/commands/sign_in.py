"""``lesko sign-in``: open a session with admin, kept for the commands that follow."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.admin_client import AdminClient
from services.cli.admin_session import SignedIn, keep_session
from services.cli.asking import Asking
from services.cli.screen import screen
from services.cli.settings import Settings


def sign_in(
    login: Annotated[str, typer.Argument(help="Your login.")],
    *,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="A line with the password, then one with the code."),
    ] = False,
) -> None:
    """Sign in; asks for the password, and for the code of the second factor."""
    settings = Settings()
    asking = Asking(from_stdin=password_stdin)
    password = asking.secret("Password")
    code = asking.code("Code of your second factor (empty: you have none)")
    client = AdminClient(settings)
    found = client.post("/v1/sessions", {"login": login, "password": password, "code": code})
    keep_session(settings.home, SignedIn(client.url, found["login"], found["token"]))
    until = datetime.fromtimestamp(found["expires_ms"] / 1_000, UTC)
    screen().print(f"Signed in as {found['login']} ({found['role']}) until {until:%H:%M} UTC.")
    if found["role"] == "approver" and not found["has_factor"]:
        screen().print(
            "You cannot approve yet: you have no second factor. "
            f"Ask an administrator for lesko operator reset {login}."
        )
