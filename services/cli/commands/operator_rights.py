"""``lesko operator add|role|reset|disable``: who may do what and where; the client's part."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.admin.domain.role import Role
from services.cli.admin_client import AdminClient
from services.cli.commands.operator_init import tell_code
from services.cli.faults import CommandRefused
from services.cli.screen import screen
from services.cli.settings import Settings

_ROLES = ", ".join(role.name.lower() for role in Role)

Login = Annotated[str, typer.Argument(help="The person's login.")]
Region = Annotated[
    list[str] | None, typer.Option("--region", help="Only in this region; may be given again.")
]
Group = Annotated[
    list[str] | None, typer.Option("--group", help="Only this outlet group; may be given again.")
]
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit.")]


def add(
    login: Login,
    *,
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[str, typer.Option(help=f"One of {_ROLES}.")],
    region: Region = None,
    group: Group = None,
    reason: Reason,
) -> None:
    """Add a person; without regions and groups they may act everywhere."""
    body = {
        "login": login,
        "name": name,
        "role": role,
        "regions": region or [],
        "groups": group or [],
        "reason": reason,
    }
    _tell(login, AdminClient(Settings()).post("/v1/operators", body), f"{login} is added.")


def role(
    login: Login,
    *,
    role: Annotated[str | None, typer.Option(help=f"One of {_ROLES}.")] = None,
    region: Region = None,
    group: Group = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Take regions and groups away.")
    ] = False,
    reason: Reason,
) -> None:
    """Give a person another role or scope; what is not given stays as it is."""
    if everywhere and (region or group):
        raise CommandRefused("Give either --everywhere or --region and --group.")
    body: dict[str, object] = {"reason": reason}
    body |= {"role": role} if role else {}
    body |= {"regions": region or []} if region or everywhere else {}
    body |= {"groups": group or []} if group or everywhere else {}
    _tell(login, _post(login, "role", body), f"{login} has other rights from now on.")


def reset(login: Login, *, reason: Reason) -> None:
    """Give a person a new one-time code; password, factor and sessions end with it."""
    _tell(login, _post(login, "reset", {"reason": reason}), f"{login} must enrol anew.")


def disable(login: Login, *, reason: Reason) -> None:
    """Shut a person out for ever, at once."""
    _tell(login, _post(login, "disable", {"reason": reason}), f"{login} is disabled.")


def _post(login: str, verb: str, body: dict[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = AdminClient(Settings()).post(
        f"/v1/operators/{quote(login, safe='')}/{verb}", body
    )
    return found


def _tell(login: str, found: dict[str, Any], sentence: str) -> None:
    """Say what was done; of a proposal the client has told already."""
    if "proposal" in found:
        return
    screen().print(sentence)
    if "enrolment_code" in found:
        tell_code(login, found["enrolment_code"])
