"""Make ./.venv ready: ``python3 deploy/venv.py [EXTRA ...]``; skipped when nothing changed.

Runs on the bare Python that make found, so it may use the standard library only, and it needs no
git. Ready means: an environment of this very folder with this project and the wanted extras in it.
"""

# ruff: noqa: INP001, S603, T201 -- a script beside data: no package, starts pip, speaks to people

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".venv"
STAMP = HOME / "lesko-installed.json"
INPUTS = (ROOT / "pyproject.toml", ROOT / "deploy" / "constraints.txt")
PYTHON_MIN = (3, 11)
POSTGRES_PLACES = (
    "usr/lib/postgresql/*/bin/postgres",
    "usr/lib/postgresql*/bin/postgres",
    "usr/pgsql-*/bin/postgres",
)
POSTGRES_MAJOR_MIN = 14  # As libs/pg says.
STEERING = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT")
"""Settings of other tools that would send our packages elsewhere."""


def main(extras: list[str]) -> None:
    """Install what is missing, then remember what was installed."""
    wanted = set(extras)
    if not has_postgres():
        wanted.add("postgres")
    found = read_stamp()
    usable = found.get("home", str(HOME)) == str(HOME) and is_alive()  # A moved one is not.
    had = set(found.get("extras", []))
    if usable and found.get("inputs") == digest() and wanted <= had:
        return
    if not os.access(HOME if HOME.exists() else ROOT, os.W_OK):
        sys.exit(f"{ROOT} is not yours to write to; clone it into a folder of your own.")
    if not usable:
        create()
    install(sorted(wanted | had))
    stamp = {"home": str(HOME), "inputs": digest(), "extras": sorted(wanted | had)}
    STAMP.write_text(json.dumps(stamp))


def has_postgres() -> bool:
    """Tell whether a PostgreSQL is given or installed, so that the wheel's is not needed."""
    if any(os.environ.get(name) for name in ("LESKO_POSTGRES__DSN", "LESKO_POSTGRES__BINARIES")):
        return True
    found = [Path(path) for path in [shutil.which("postgres")] if path]
    for pattern in POSTGRES_PLACES:
        found += Path("/").glob(pattern)
    return any(postgres_major(program) >= POSTGRES_MAJOR_MIN for program in found)


def postgres_major(program: Path) -> int:
    """Return the major version that a server's program tells, 0 when it tells none."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    told = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(told[1]) if told else 0


def read_stamp() -> dict[str, Any]:
    """Return what an earlier run installed; empty when none ended."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def digest() -> str:
    """Return a fingerprint of all that decides what is installed."""
    text = b"".join(path.read_bytes() for path in INPUTS)
    return hashlib.sha256(text).hexdigest()


def is_alive() -> bool:
    """Tell whether the environment has a pip and its Python still starts."""
    command: list[str | Path] = [HOME / "bin" / "python", "-c", "import pip"]
    try:
        done = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def create() -> None:
    """Make an empty environment with pip, in place of whatever stood there."""
    print(f"Setting up {HOME} with Python {sys.version.split()[0]}.", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=False)
    if done.returncode != 0:
        sys.exit(f"Python could not make {HOME}; the reason stands above.")


def install(extras: list[str]) -> None:
    """Install the project and its packages as pinned, through pip as this machine has it."""
    print(f"Installing packages ({', '.join(['runtime', *extras])}), once.", flush=True)
    target = "." + (f"[{','.join(extras)}]" if extras else "")
    command: list[str | Path] = [
        HOME / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
    ]
    command += ["--disable-pip-version-check", "--editable", target, "--constraint", INPUTS[1]]
    environment = {name: value for name, value in os.environ.items() if name not in STEERING}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit("pip could not install the packages; its reason stands above. Then try again.")


if __name__ == "__main__":
    if sys.version_info < PYTHON_MIN:
        sys.exit("This project needs Python 3.11 or newer.")
    main(sys.argv[1:])
