"""By which login each service enters: given, or made of the place and the service's file."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.pg import PasswordFault, user_of
from services.cli.database import need_dsn, need_logins, own_settings
from services.cli.faults import CommandRefused
from services.cli.logins import LoginMissing, Logins, logins_of
from services.cli.settings import PostgresPart, Settings, VaultPart

OWNER = SecretStr("postgresql://lesko:owners-word@db:5432/lesko?sslmode=require")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LESKO_POSTGRES__DSN", "LESKO_POSTGRES__DSN_FILE", "LESKO_HOME"):
        monkeypatch.delenv(name, raising=False)


def keep(directory: Path, service: str, password: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{service}.password"
    path.write_text(password)
    path.chmod(0o600)


class TestLogins:
    def test_are_made_of_the_place_and_the_services_file(self, tmp_path: Path) -> None:
        """The owner's user and password are gone; host, database and options stay."""
        keep(tmp_path, "card_ledger", "its-own")
        found = Logins(OWNER, {}, tmp_path).of("card_ledger").get_secret_value()

        assert "postgresql://lesko_card_ledger:its-own@db:5432/lesko?sslmode=require" == found

    def test_that_are_given_count(self, tmp_path: Path) -> None:
        """What the operator named is used as it is, whatever lies in the folder."""
        keep(tmp_path, "admin", "unused")
        given = SecretStr("postgresql://dba_admin:x@other/lesko")
        logins = Logins(OWNER, {"admin": given}, tmp_path)

        assert given == logins.of("admin")
        assert ("dba_admin", "lesko_authorization") == tuple(
            map(logins.role, ("admin", "authorization"))
        )

    def test_that_are_missing_say_what_to_do(self, tmp_path: Path) -> None:
        """A sentence with the file and the command; it can pass, and the owner never steps in."""
        logins = Logins(OWNER, {}, tmp_path)

        with pytest.raises(LoginMissing, match=r"admin\.password: run lesko migrate") as caught:
            logins.of("admin")
        assert "owners-word" not in str(caught.value)
        assert "run lesko migrate" in str(logins.problem(["admin"]))
        assert OWNER == logins.any_of(["admin"])
        keep(tmp_path, "admin", "word")
        assert logins.problem(["admin"]) is None
        entered = logins.any_of(["card_ledger", "admin"])
        assert entered is not None
        assert "lesko_admin" == user_of(entered)

    def test_whose_file_is_open_are_refused(self, tmp_path: Path) -> None:
        """That does not pass by itself."""
        keep(tmp_path, "admin", "word")
        (tmp_path / "admin.password").chmod(0o644)

        with pytest.raises(PasswordFault, match="chmod 600"):
            Logins(OWNER, {}, tmp_path).problem(["admin"])


class TestSettings:
    def test_name_the_folder(self, tmp_path: Path) -> None:
        """Beside the keys, or where they say."""
        other = Settings(vault=VaultPart(keys_directory=tmp_path / "keys"))
        named = Settings(postgres=PostgresPart(roles_directory=tmp_path / "roles"))

        assert Path("var/keys/database") == Settings().roles_directory
        assert tmp_path / "keys" / "database" == other.roles_directory
        assert tmp_path / "roles" == named.roles_directory

    def test_give_services_logins_from_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With every one given the owner's login need not be on the machine at all."""
        for name in ("ADMIN", "CARD_LEDGER", "AUTHORIZATION"):
            (tmp_path / name).write_text(f"postgresql://{name.lower()}@db/x\n")
            monkeypatch.setenv(f"LESKO_{name}__POSTGRES__DSN_FILE", str(tmp_path / name))
        settings = Settings(home=tmp_path)

        assert "card_ledger" == user_of(own_settings(settings, "card_ledger")["postgres"]["dsn"])
        with pytest.raises(CommandRefused, match="LESKO_POSTGRES__DSN is not set"):
            need_dsn(settings)

    def test_without_a_place_are_refused(self, tmp_path: Path) -> None:
        """One sentence with the variable."""
        with pytest.raises(CommandRefused, match="LESKO_POSTGRES__DSN is not set"):
            need_logins(Settings(home=tmp_path))

    def test_name_what_the_roles_begin_with(self, tmp_path: Path) -> None:
        """Two installations on one server do not share roles."""
        settings = Settings(postgres=PostgresPart(role_prefix="staging"))

        assert "staging_admin" == logins_of(settings, OWNER).role("admin")
