"""``lesko operator enrol``: take over a login with its one-time code, and a factor where needed."""

import sys
from typing import Annotated, Any
from urllib.parse import quote

import segno
import typer

from services.cli.admin_client import AdminClient
from services.cli.asking import Asking
from services.cli.screen import screen
from services.cli.settings import Settings


def enrol(
    login: Annotated[str, typer.Argument(help="Your login.")],
    *,
    factor: Annotated[
        bool, typer.Option("--factor", help="Also where your role does not need a second factor.")
    ] = False,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Lines of the input: the one-time code, the password, the code of the factor.",
        ),
    ] = False,
) -> None:
    """Choose your password; approvers also put a second factor into their authenticator."""
    asking = Asking(from_stdin=password_stdin)
    body: dict[str, object] = {
        "code": asking.secret("One-time code"),
        "password": asking.secret("New password", twice=True),
        "wants_factor": factor,
    }
    client = AdminClient(Settings())
    path = f"/v1/operators/{quote(login, safe='')}/enrol"
    found: dict[str, Any] = client.post(path, body)
    if not found["is_enrolled"]:
        _show_factor(found["factor"]["uri"])
        code = asking.code("The six digits that it shows now")
        client.post(path, {**body, "factor_code": code})
    screen().print(f"{login} is enrolled. Sign in with lesko sign-in {login}.")


def _show_factor(uri: str) -> None:
    """Show the factor as a QR code where a terminal can, and as text; it is not shown again."""
    print("Put this into your authenticator (an app for one-time codes):")
    if sys.stdout.isatty() and "utf" in (sys.stdout.encoding or "").lower():
        segno.make(uri, error="m").terminal(out=sys.stdout, compact=True)
    print(uri, flush=True)
