"""``lesko operator init`` and ``rescue``: on the machine itself, with the database's address."""

import asyncio
from typing import Annotated, Final

import typer

from libs.clock import SystemClock
from services.admin import main as admin
from services.admin.domain.refusal import Refused
from services.admin.settings import Settings as AdminSettings
from services.cli.asking import Asking
from services.cli.database import need_logins, need_schemas, own_settings
from services.cli.faults import CommandRefused
from services.cli.screen import screen
from services.cli.settings import Settings

_ADMIN: Final = "admin"


def init(
    login: Annotated[str, typer.Argument(help="The login of the first administrator.")],
    *,
    name: Annotated[str, typer.Option(help="The person's name, as the audit is to show it.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="The password is a line of the input.")
    ] = False,
) -> None:
    """Make the first administrator; once there is any operator this is refused."""
    password = Asking(from_stdin=password_stdin).secret("New password", twice=True)
    asyncio.run(_init(Settings(), login, name, password))
    screen().print(f"{login} is the first administrator. Sign in with lesko sign-in {login}.")


def rescue(
    login: Annotated[str, typer.Argument(help="Who cannot sign in any more.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
) -> None:
    """Give somebody a new one-time code where no two people are left who could do it."""
    code = asyncio.run(_rescue(Settings(), login, reason))
    tell_code(login, code)


def tell_code(login: str, code: str) -> None:
    """Show a one-time code, for the one time that it is shown."""
    screen().print(f"One-time code for {login}, good for 24 hours, shown only now: {code}")
    screen().print(f"Hand it over in person; {login} then runs lesko operator enrol {login}.")


async def _init(settings: Settings, login: str, name: str, password: str) -> None:
    async with admin.init_operators(await _admin_settings(settings), SystemClock()) as operators:
        found = await operators.begin(login, name, password)
    if isinstance(found, Refused):
        raise CommandRefused(_sentence(found))


async def _rescue(settings: Settings, login: str, reason: str) -> str:
    async with admin.init_operators(await _admin_settings(settings), SystemClock()) as operators:
        found = await operators.rescue(login, reason)
    if isinstance(found, Refused):
        raise CommandRefused(_sentence(found))
    return found


async def _admin_settings(settings: Settings) -> AdminSettings:
    await need_schemas(need_logins(settings, [_ADMIN]), [_ADMIN])
    return AdminSettings.model_validate(own_settings(settings, _ADMIN))


def _sentence(refused: Refused) -> str:
    words = refused.why.value.text_en
    return f"{words} ({refused.detail})" if refused.detail else words
