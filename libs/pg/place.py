"""Where our server's things are and as whom its programs run; who chooses is in placing."""

import os
import subprocess
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.pg.trouble import explain

__all__ = ["ENVIRONMENT", "Place", "RunAs", "belong", "reachable", "run", "write_new"]

# Nothing of the caller's: a PGPORT or PGDATA there would change what the programs do.
ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "TZ": "UTC",
}
_SOCKET_PATH_MAX: Final = 90  # Of 107 bytes; the rest is PostgreSQL's file name.
_RUN_SECONDS: Final = 300


class RunAs(NamedTuple):
    """The user that PostgreSQL runs as when we are root, for it refuses root."""

    name: str
    uid: int
    gid: int


class Place(NamedTuple):
    """``root`` holds what only the supervisor reads, ``home`` what the server's user needs."""

    root: Path
    home: Path
    run_as: RunAs | None

    @property
    def elsewhere(self) -> Path | None:
        """Where the data are, when the server's user cannot reach the root."""
        return None if self.home == self.root else self.home

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server writes while it runs."""
        return self.root / "postgres.log"

    @property
    def socket(self) -> Path:
        """A directory short enough for a socket's path."""
        near = self.home / "socket"
        if len(os.fsencode(near)) <= _SOCKET_PATH_MAX:
            return near
        digest = blake2b(os.fsencode(self.home), digest_size=6).hexdigest()
        return Path("/tmp") / f"lesko-{digest}"  # noqa: S108 -- owner and mode are checked

    @property
    def data_major(self) -> int | None:
        """The version that made the data; None while there are none."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    @property
    def credentials(self) -> dict[str, Any]:
        """The arguments that make a child the server's user."""
        if self.run_as is None:
            return {}
        return {"user": self.run_as.uid, "group": self.run_as.gid, "extra_groups": []}

    def give(self, path: Path, mode: int) -> None:
        """Make a path the server user's own, with this mode."""
        if self.run_as:
            os.chown(path, self.run_as.uid, self.run_as.gid)
        path.chmod(mode)

    def keep(self, name: str, text: str) -> None:
        """Write a file under the root that nobody else can read, whole or not at all."""
        fresh = write_new(self.root / f"{name}.new", text)
        belong(fresh, self.root)
        fresh.replace(self.root / name)


def belong(path: Path, root: Path) -> None:
    """Give a file to whom its root belongs, so that root's visit locks nobody out."""
    if os.geteuid() == 0:
        owner = root.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def write_new(path: Path, text: str) -> Path:
    """Write a file that only its owner reads, following no link that waits there; return it."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        os.fsync(file.fileno())
    return path


def reachable(path: Path, run_as: RunAs) -> bool:
    """Ask the kernel, as that user, whether a file can be read or a directory entered."""
    flag = "-x" if path.is_dir() else "-r"
    asked = subprocess.run(  # noqa: S603 -- fixed program, the path is an argument
        ["/bin/sh", "-c", f'test {flag} "$1"', "sh", path],
        user=run_as.uid,
        group=run_as.gid,
        extra_groups=[],
        cwd="/",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return asked.returncode == 0


def run(command: Sequence[str | Path], place: Place, *, feed: str = "") -> str:
    """Run a program to its end as the server's user, with ``feed`` as its input; return its output.

    Raises ServerFault with one sentence when it fails.
    """
    name = Path(command[0]).name
    try:
        ran = subprocess.run(  # noqa: S603 -- programs that find_binaries has tried
            command,
            input=feed,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_RUN_SECONDS,
            check=False,
            cwd=place.home,
            env=ENVIRONMENT,
            start_new_session=True,
            **place.credentials,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerFault(f"{name} does not start: {explain(str(error))}") from error
    if ran.returncode != 0:
        raise ServerFault(f"{name} failed in {place.home}: {explain(ran.stderr + ran.stdout)}")
    return str(ran.stdout)
