"""Take each safeguard out of a copy of the product: a named test must turn red."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).resolve().parents[3]
MUTANTS = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text())


def run(copy: Path, test: str, dsn: str) -> int:
    """Run one test in a copy of the product; return pytest's exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=copy,
        env={**os.environ, "LESKO_TEST_POSTGRES": dsn, "PYTHONPATH": str(copy)},
        capture_output=True,
        timeout=90,
        check=False,
    )
    return done.returncode


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the named tests need."""
    target = tmp_path_factory.mktemp("product")
    for name in ("libs", "services", "tests", "deploy", "proto"):
        shutil.copytree(
            ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "e2e")
        )
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


class PostgresServer(Protocol):
    """The server that the fixture starts."""

    admin_dsn: str


class TestMutants:
    @pytest.mark.parametrize("name", MUTANTS)
    def test_is_caught(self, name: str, copy: Path, postgres_server: PostgresServer) -> None:
        """Green as it is, red without the safeguard; a piece that has moved fails here."""
        mutant = MUTANTS[name]
        file = copy / mutant["file"]
        honest = file.read_text()
        assert 1 == honest.count(mutant["find"]), "the piece to take out is not there"
        file.write_text(honest.replace(mutant["find"], mutant["put"]))
        try:
            mutated = run(copy, mutant["test"], postgres_server.admin_dsn)
        finally:
            file.write_text(honest)

        assert 1 == mutated, "the safeguard was taken out and nothing turned red"
        assert 0 == run(copy, mutant["test"], postgres_server.admin_dsn)
