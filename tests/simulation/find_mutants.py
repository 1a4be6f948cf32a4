"""``python -m tests.simulation.find_mutants``: the first seed that notices each missing safeguard.

The answer belongs into mutants.toml. Names as arguments choose some of them.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MUTANTS: Final = Path(__file__).parent / "mutants.toml"
SEEDS_MAX: Final = 1_000
SECONDS_MAX: Final = 600
FAILS: Final = re.compile(r"^seed (\d+) fails", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A piece of the product, and what stands there instead."""

    file: str
    find: str
    put: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A safeguard that is taken out, and the first seed that notices; 0: not looked for yet."""

    seed: int
    edits: tuple[Edit, ...]


def read_mutants() -> Mapping[str, Mutant]:
    """Return the mutants by name."""
    return {
        name: Mutant(seed=found["seed"], edits=tuple(Edit(**edit) for edit in found["edits"]))
        for name, found in tomllib.loads(MUTANTS.read_text()).items()
    }


def copy_product(target: Path) -> None:
    """Copy what a simulation needs."""
    ignored = shutil.ignore_patterns("__pycache__", "e2e", "integration")
    for name in ("libs", "services", "proto", "loadtests", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)


def take_out(copy: Path, mutant: Mutant) -> None:
    """Take the safeguard out of a copy; ``LookupError`` for a piece that is not there once."""
    for edit in mutant.edits:
        file = copy / edit.file
        honest = file.read_text()
        if honest.count(edit.find) != 1:
            message = f"the piece to take out of {edit.file} is not there once"
            raise LookupError(message)
        file.write_text(honest.replace(edit.find, edit.put))


def put_back(copy: Path, mutant: Mutant) -> None:
    """Make the files of a mutant whole again."""
    for edit in mutant.edits:
        shutil.copy(ROOT / edit.file, copy / edit.file)


def run(copy: Path, first: int, last: int) -> subprocess.CompletedProcess[str]:
    """Live through seeds of a copy; exit code 1 when one fails."""
    command = ["-m", "tests.simulation.run", str(first), str(last), "--no-shrink"]
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def main() -> int:
    """Print a line for each mutant; 1 when one is not noticed."""
    mutants, escaped = read_mutants(), 0
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "product"
        copy_product(copy)
        for name in sys.argv[1:] or mutants:
            take_out(copy, mutants[name])
            found = run(copy, 1, SEEDS_MAX)
            put_back(copy, mutants[name])
            seed = FAILS.search(found.stdout)
            escaped += seed is None
            print(f"{name}: {seed[1] if seed else 'not noticed'}", flush=True)
            for line in found.stdout.splitlines()[1:2] if seed else found.stderr.splitlines()[-1:]:
                print(f"  {line}", flush=True)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
