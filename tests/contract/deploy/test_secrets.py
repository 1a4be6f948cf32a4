"""What make-secrets makes is random, is kept, and fits those who read it."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.vault import VaultFault, read_token_key, read_vault
from services.cli.logins import OWNERS
from tests.contract.deploy.planted import ROOT
from tests.contract.deploy.settings_of import make_secrets
from tests.contract.deploy.stack import read_stack

NAMES = {
    *("postgres_admin_password", "lesko_password", "lesko_dsn", "grafana_admin_password"),
    *("admin_dsn", "card_ledger_dsn", "authorization_dsn"),
    *("token.key", "vault-1.key"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with fresh secrets."""
    made = tmp_path / "secrets"
    make_secrets(ROOT, made)
    return made


def values(folder: Path) -> dict[str, str]:
    """Return every secret by name."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_makes_what_compose_takes(folder: Path) -> None:
    """Each secret that the compose file names is made, and nothing else is left there."""
    taken = {Path(secret["file"]).name for secret in read_stack(ROOT).data["secrets"].values()}

    assert taken == set(values(folder))
    assert taken == NAMES


def test_lets_nobody_else_into_the_folder(folder: Path) -> None:
    """The folder is the operator's alone; the files are read by users of containers."""
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_keeps_what_is_there(folder: Path) -> None:
    """A second run changes nothing, and says so."""
    before = values(folder)

    said = make_secrets(ROOT, folder)

    assert before == values(folder)
    assert len(NAMES) == said.count("kept ")


def test_takes_a_password_of_the_operator(tmp_path: Path) -> None:
    """A password that was put there first is the one in the DSN."""
    (tmp_path / "lesko_password").write_text("chosen\n")

    make_secrets(ROOT, tmp_path)

    parts = urlsplit((tmp_path / "lesko_dsn").read_text().strip())
    assert ("lesko", "chosen", "postgres") == (parts.username, parts.password, parts.hostname)


def test_gives_each_service_a_login_of_its_own(folder: Path) -> None:
    """By the role that is named after it, to the same database as the owner, by no other's word."""
    logins = {name: urlsplit(values(folder)[f"{name}_dsn"].strip()) for name in (*OWNERS, "lesko")}

    assert {f"lesko_{name}" for name in OWNERS} | {"lesko"} == {p.username for p in logins.values()}
    assert 4 == len({parts.password for parts in logins.values()})
    assert {("postgres", "/lesko")} == {(p.hostname, p.path) for p in logins.values()}


def test_makes_others_each_time(folder: Path, tmp_path: Path) -> None:
    """No secret is a default: two installations share none, and no two secrets are equal."""
    make_secrets(ROOT, tmp_path / "others")

    first, second = values(folder), values(tmp_path / "others")
    assert len({*first.values(), *second.values()}) == 2 * len(NAMES)


def test_prints_no_secret(tmp_path: Path) -> None:
    """What is shown on the screen names files, not what is in them."""
    said = make_secrets(ROOT, tmp_path)

    assert not any(value.strip() in said for value in values(tmp_path).values())


def test_keys_arrive_as_the_vault_demands(folder: Path, tmp_path: Path) -> None:
    """The job copies each key where it is read; the bridge gets the token key alone."""
    edge, vault = tmp_path / "edge", tmp_path / "vault"
    edge.mkdir()
    vault.mkdir()
    script = read_stack(ROOT).containers["keys"].words[-1]
    for inside, here in (("/run/secrets", folder), ("/var/lib/lesko", tmp_path)):
        script = script.replace(inside, str(here))
    for _ in range(2):  # Each `up` runs it again.
        subprocess.run(["/bin/sh", "-ceu", script], check=True, timeout=20)

    assert read_token_key(edge) is not None
    assert read_token_key(vault) is not None
    assert read_vault(vault) is not None
    assert [path.name for path in edge.iterdir()] == ["token.key"]
    with pytest.raises(VaultFault, match="open to other users"):
        read_token_key(folder)  # Why they are copied.


def test_git_ignores_them() -> None:
    """Only the file that says so is in git."""
    lines = (ROOT / "deploy/docker/secrets/.gitignore").read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["*", "!.gitignore"]


def test_password_is_on_no_command_line() -> None:
    """The script that makes the role reads it from the file; others see arguments of processes."""
    script = (ROOT / "deploy/docker/postgres/role.sh").read_text()

    assert re.search(r"psql [^\n]*password", script) is None
    assert "`cat /run/secrets/lesko_password`" in script
