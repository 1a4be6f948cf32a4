"""By which login each service enters the database: its own, and never the owner's."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from libs.pg import (
    RoleLogin,
    keep_password,
    new_password,
    password_of,
    read_password,
    roles_present,
    user_of,
    with_login,
)
from services.cli.faults import CommandRefused
from services.cli.settings import Settings

OWNERS: Final = ("admin", "card_ledger", "authorization")
"""The services that have tables, each in the schema of its name."""


class LoginMissing(CommandRefused):
    """A service's password is not there yet; ``lesko migrate`` makes it."""


class Logins:
    """Where the database is, and how each service enters it.

    ``base`` is the place as its owner enters it, ``given`` are logins that the operator named; the
    others are made of the two.
    """

    def __init__(
        self,
        base: SecretStr | None,
        given: Mapping[str, SecretStr],
        directory: Path,
        prefix: str = "lesko",
    ) -> None:
        self.base = base
        self._given = given
        self._directory = directory
        self._prefix = prefix

    def of(self, service: str) -> SecretStr:
        """Return the DSN of a service; raises LoginMissing, CommandRefused, PasswordFault."""
        if service in self._given:
            return self._given[service]
        path = self._path(service)
        if self.base is None:
            message = f"Neither LESKO_POSTGRES__DSN nor {_variable(service)} is set."
            raise CommandRefused(message)
        password = read_password(path)
        if password is None:
            message = (
                f"The password of {self.role(service)} is not at {path}: run lesko migrate, which "
                f"makes it, or bring the file from where it was made."
            )
            raise LoginMissing(message)
        return with_login(self.base, self.role(service), password)

    def is_given(self, service: str) -> bool:
        """Whether the operator named this service's login."""
        return service in self._given

    def role(self, service: str) -> str:
        """Return the role that a service enters by."""
        given = self._given.get(service)
        return f"{self._prefix}_{service}" if given is None else user_of(given) or ""

    def problem(self, services: Iterable[str]) -> str | None:
        """Return why one of these services cannot enter yet; raises what will not pass."""
        try:
            for service in services:
                self.of(service)
        except LoginMissing as missing:
            return str(missing)
        return None

    def any_of(self, services: Iterable[str]) -> SecretStr | None:
        """Return a DSN to ask how the database is: one of these services', else the base."""
        for service in services:
            try:
                return self.of(service)
            except LoginMissing:
                continue
        return self.base

    async def prepare(
        self, services: Iterable[str], maker: SecretStr, *, renew: bool, is_ours: bool = False
    ) -> list[RoleLogin]:
        """Return these services' logins, with passwords made where there are none.

        ``renew``: all of them anew. A role that is there while its file is not has its password
        elsewhere, and is refused unless the server is ours alone (``is_ours``).
        """
        ours = [service for service in services if service not in self._given]
        lost = [each for each in ours if read_password(self._path(each)) is None]
        known = await roles_present(maker, [self.role(each) for each in lost]) if lost else set()
        for service in lost:
            if self.role(service) in known and not (renew or is_ours):
                raise CommandRefused(self._lost(service))
        for service in ours if renew else lost:
            keep_password(self._path(service), new_password(), replace=renew)
        return [RoleLogin(self.role(each), password_of(self.of(each))) for each in services]

    def _path(self, service: str) -> Path:
        return self._directory / f"{service}.password"

    def _lost(self, service: str) -> str:
        return (
            f"The role {self.role(service)} is there, but its password is not at "
            f"{self._path(service)}: bring the file from the installation that made it; if that is "
            "lost, run lesko migrate --new-passwords; if it is another installation's role, set "
            "LESKO_POSTGRES__ROLE_PREFIX."
        )


def logins_of(settings: Settings, base: SecretStr | None) -> Logins:
    """Return what the settings say of logins; ``base`` as it was found."""
    prefix = settings.postgres.role_prefix
    return Logins(base, dict(_given(settings)), settings.roles_directory, prefix)


def _given(settings: Settings) -> Iterator[tuple[str, SecretStr]]:
    for service in OWNERS:
        dsn = getattr(settings, service).postgres.dsn
        if dsn is not None:
            yield service, dsn


def _variable(service: str) -> str:
    return f"LESKO_{service.upper()}__POSTGRES__DSN"
