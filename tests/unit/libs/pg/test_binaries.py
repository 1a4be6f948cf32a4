"""Finding PostgreSQL's programs, with scripts in their place."""

from pathlib import Path

import pytest

from libs.pg.binaries import Binaries, find_binaries
from libs.pg.faults import ServerFault


def programs(directory: Path, script: str) -> Path:
    directory.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return directory


def version(number: str) -> str:
    return f"echo 'postgres (PostgreSQL) {number} (Somebody {number}-1)'"


def test_takes_the_first_that_starts(tmp_path: Path) -> None:
    """One that is missing or does not start is passed over."""
    broken = programs(tmp_path / "a", "echo libx.so.1 >&2; exit 127")
    good = programs(tmp_path / "b", version("15.18"))
    other = programs(tmp_path / "c", version("16.2"))

    found = find_binaries(None, major=None, candidates=[tmp_path / "none", broken, good, other])

    assert Binaries(good, "15.18") == found


def test_takes_the_version_that_made_the_data(tmp_path: Path) -> None:
    """Data are bound to the major version, whatever stands first."""
    first = programs(tmp_path / "a", version("18.4"))
    fitting = programs(tmp_path / "b", version("15.18"))

    assert fitting == find_binaries(None, major=15, candidates=[first, fitting]).directory


def test_says_what_was_wrong_with_each_and_what_to_do(tmp_path: Path) -> None:
    """A missing library, an old version and an empty directory each get their word."""
    libraries = "echo 'error while loading shared libraries: libx.so.1: no' >&2; exit 127"
    broken = programs(tmp_path / "a", libraries)
    old = programs(tmp_path / "b", version("9.6.1"))

    with pytest.raises(ServerFault) as caught:
        find_binaries(None, major=None, candidates=[broken, old, tmp_path / "none"])

    for words in ("libx.so.1 is missing", "older than", "none has no initdb", "Install one"):
        assert words in str(caught.value)


def test_what_was_given_alone_counts(tmp_path: Path) -> None:
    """A directory named by the operator is never replaced by another in silence."""
    good = programs(tmp_path / "b", version("15.18"))

    with pytest.raises(ServerFault, match="LESKO_POSTGRES__BINARIES named it"):
        find_binaries(tmp_path / "none", major=None, candidates=[good])


def test_no_candidates_are_none(tmp_path: Path) -> None:
    """An empty list is not filled up with whatever this machine has."""
    with pytest.raises(ServerFault, match="No usable PostgreSQL was found"):
        find_binaries(None, major=None, candidates=[])
