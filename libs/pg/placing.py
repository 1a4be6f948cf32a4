"""Choose as whom and where our server runs; parents of what we were given are never changed."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from libs.pg.binaries import Binaries
from libs.pg.faults import ServerFault
from libs.pg.place import ENVIRONMENT, Place, RunAs, reachable, run
from libs.pg.trouble import explain

__all__ = ["ELSEWHERE", "choose_place", "make_root", "reachable_binaries"]

ELSEWHERE: Final = Path("/var/lib/lesko-switch")
_OWN_USER: Final = "lesko"
_MARKER: Final = "placed_elsewhere"
# Whichever the system has; the second is BusyBox's.
_CREATE: Final = (
    ("useradd", "--system", "--no-create-home", "--shell", "/bin/false", _OWN_USER),
    ("adduser", "-S", "-D", "-H", "-s", "/bin/false", _OWN_USER),
)


def make_root(root: Path) -> Path:
    """Create the directory that was asked for, return its full path; raises ServerFault."""
    root = root.absolute()
    try:
        root.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerFault(f"{root} cannot be created: {explain(str(error))}") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise ServerFault(
            f"{root} cannot be written by this user; "
            f"it belongs to {_name(root.stat().st_uid)}: run as that user, or name another."
        )
    return root


def choose_place(
    root: Path, report: Callable[[str], None], *, elsewhere: Path = ELSEWHERE
) -> Place:
    """Return who runs the server and where its data go; ``report`` hears what was created.

    Not root: ourselves, under ``root``. As root: the owner of the data that are there; else
    ``postgres``; else ``lesko``, which is created. Where that user cannot reach ``root``, the data
    go under ``elsewhere``. Raises ServerFault when data that were kept elsewhere are gone.
    """
    home = _kept_home(root)
    data = home / "data"
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise ServerFault(f"{data} belongs to {_name(data.stat().st_uid)}: run as that user.")
        return Place(root, home, None)
    if data.exists():
        uid = data.stat().st_uid
        if uid == 0:
            raise ServerFault(f"{data} belongs to root, as whom PostgreSQL refuses to run.")
        return Place(root, home, _run_as(uid))
    run_as = _new_user(report)
    if home != root:
        return Place(root, home, run_as)
    root.chmod(root.stat().st_mode & 0o7777 | 0o111)  # This directory itself is ours to open.
    if reachable(root, run_as):
        return Place(root, root, run_as)
    place = Place(root, _new_home(root, elsewhere, run_as, report), run_as)
    place.keep(_MARKER, f"{place.home}\n")
    return place


def reachable_binaries(binaries: Binaries, place: Place) -> Binaries:
    """Return the programs, or a copy of them that the server's user can reach."""
    if place.run_as is None or _usable(binaries, place, place.run_as):
        return binaries
    tree = binaries.directory.parent
    target = place.home / "binaries" / binaries.version
    if not target.exists():
        try:
            _copy(tree, target)
        except OSError as error:
            raise ServerFault(f"{target} cannot be made: {explain(str(error))}") from error
    return Binaries(target / tree.parent.name / tree.name / "bin", binaries.version)


def _usable(binaries: Binaries, place: Place, run_as: RunAs) -> bool:
    try:
        for program in ("initdb", "postgres"):
            run([binaries.directory / program, "--version"], place)
    except ServerFault:
        return False
    needed = binaries.directory.parent.glob("share/**/postgres.bki")
    return all(reachable(path, run_as) for path in needed)


def _kept_home(root: Path) -> Path:
    marker = root / _MARKER
    if not marker.exists():
        return root
    home = Path(marker.read_text().strip())
    if not home.is_dir():
        raise ServerFault(
            f"{marker} says that the data are in {home}, but they are gone; "
            "bring them back, or delete that file to begin with an empty database."
        )
    return home


def _new_home(root: Path, elsewhere: Path, run_as: RunAs, report: Callable[[str], None]) -> Path:
    """Create a directory of the root's own; never one that an earlier clone may have filled."""
    digest = blake2b(os.fsencode(root), digest_size=4).hexdigest()
    home = elsewhere / f"{digest}-{secrets.token_hex(4)}"
    try:
        elsewhere.mkdir(mode=0o755, parents=True, exist_ok=True)
        home.mkdir(mode=0o711)
        home.chmod(0o711)
    except OSError as error:
        raise ServerFault(f"{home} cannot be created: {explain(str(error))}") from error
    if not reachable(home, run_as):
        home.rmdir()
        raise ServerFault(f"The user {run_as.name} can reach neither {root} nor {elsewhere}.")
    report(f"The user {run_as.name} cannot reach {root}: PostgreSQL's data go to {home}.")
    return home


def _new_user(report: Callable[[str], None]) -> RunAs:
    for name in ("postgres", _OWN_USER):
        try:
            return _run_as(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    _create_user()
    report(f"PostgreSQL refuses to run as root: the system user {_OWN_USER} was created for it.")
    return _run_as(pwd.getpwnam(_OWN_USER).pw_uid)


def _create_user() -> None:
    said = "neither useradd nor adduser is here."
    for command in _CREATE:
        if shutil.which(command[0], path=ENVIRONMENT["PATH"]) is None:
            continue
        created = subprocess.run(  # noqa: S603 -- fixed arguments
            command, capture_output=True, text=True, check=False, env=ENVIRONMENT
        )
        if created.returncode == 0:
            return
        said = explain(created.stderr)
    raise ServerFault(
        f"PostgreSQL refuses to run as root and a user for it cannot be created: {said} "
        "Run as an ordinary user."
    )


def _run_as(uid: int) -> RunAs:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return RunAs(f"user {uid}", uid, uid)
    return RunAs(entry.pw_name, uid, entry.pw_gid)


def _name(uid: int) -> str:
    return _run_as(uid).name


def _copy(tree: Path, target: Path) -> None:
    """Copy a tree of programs, readable by all, whole or not at all.

    A wheel has its shared libraries in a directory beside its package, and its programs look for
    them by the way from one to the other: both are copied as they lie.
    """
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    package = tree.parent
    leave_out = shutil.ignore_patterns("include", "*.a", "__pycache__")
    shutil.copytree(tree, fresh / package.name / tree.name, symlinks=True, ignore=leave_out)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    fresh.parent.chmod(0o755)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            is_open = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_open else 0o644)
    fresh.replace(target)
