"""``make setup``: a clear sentence when it cannot, and no work when nothing changed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEVELOPER = "--editable .[dev] --constraint"

PRETENDED_PYTHON = """#!/bin/sh
case "$2" in
"import pip") exit 0 ;;
esac
echo "$@" >> "$(dirname "$0")/../../calls"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with what set-up reads, and an environment that only notes its calls."""
    (tmp_path / "deploy").mkdir()
    for name in ("pyproject.toml", "deploy/constraints.txt", "deploy/venv.py", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PRETENDED_PYTHON)
    python.chmod(0o755)
    return tmp_path


def set_up(clone: Path, *extras: str) -> list[str]:
    """Run the set-up where a PostgreSQL is given; return all that it asked of our Python so far."""
    environment = {"PATH": "/usr/bin:/bin", "LESKO_POSTGRES__DSN": "given"}
    command = [sys.executable, str(clone / "deploy" / "venv.py"), *extras]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    calls = clone / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_installs_once(clone: Path) -> None:
    """The second run finds that nothing changed and asks nothing."""
    first = set_up(clone, "dev")

    assert len(first) == 1
    assert DEVELOPER in first[0]
    assert first == set_up(clone, "dev")
    assert first == set_up(clone)


@pytest.mark.parametrize("name", ["pyproject.toml", "deploy/constraints.txt"])
def test_installs_again_when_a_pin_changed(clone: Path, name: str) -> None:
    """A new package or another version reaches the environment without a word."""
    set_up(clone, "dev")
    with (clone / name).open("a") as file:
        file.write("# changed\n")

    assert len(set_up(clone, "dev")) == 2


def test_keeps_the_tools_that_were_there(clone: Path) -> None:
    """``make run`` after ``make setup`` does not take the developer's tools away."""
    set_up(clone, "dev")
    (clone / "pyproject.toml").write_text("[project]\n")

    assert DEVELOPER in set_up(clone)[1]


def test_says_what_to_install_without_python(clone: Path) -> None:
    """A machine without a fit Python hears what it lacks, and make fails."""
    done = subprocess.run(
        ["make", "setup", "PYTHON="], cwd=clone, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "This needs Python 3.11 or newer with venv" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr
