"""Machines with less than this one: files that may not grow, and a disk of their own that is full.

``python -m tests.e2e.narrow_machine DIRECTORY`` plays the full disk; it mounts, so it is started in
a mount namespace of its own, which takes everything with it when it ends.
"""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.e2e.process import COMMAND, REPOSITORY, WAIT_S, Lesko, a_lesko
from tests.mounts import OWN_MOUNTS

SEED = ("--cards", "20", "--outlets", "2")
UP = "The switch is up."
CHUNK = bytes(1 << 16)


class Refusal(NamedTuple):
    """How a run ended that could not begin."""

    code: int
    out: str
    err: str


class Story(NamedTuple):
    """What a run said while there was no room, and what it showed once there was."""

    refusals: list[Refusal]
    shown: str


def short_files(lesko: Lesko) -> Story:
    """Let no file grow to 16 MB, which PostgreSQL's log needs; then let them."""
    refused = subprocess.run(
        ["sh", "-c", 'ulimit -f 8192 && exec "$@"', "sh", *COMMAND, "run", *SEED],
        check=False, capture_output=True, text=True, env=lesko.environment, cwd=lesko.home,
        timeout=WAIT_S,
    )  # fmt: skip
    return Story([Refusal(refused.returncode, refused.stdout, refused.stderr)], _shown(lesko))


def full_disk(lesko: Lesko) -> Story:
    """Run on a disk that is too small, then filled up, then has room again."""
    told = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-m", __name__, lesko.home],
        check=False, capture_output=True, text=True, env=lesko.environment, cwd=REPOSITORY,
        timeout=3 * WAIT_S,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    refusals, shown = json.loads(told.stdout)
    return Story([Refusal(*refusal) for refusal in refusals], shown)


def play_full_disk(disk: Path) -> Story:
    """Do what ``full_disk`` says, in the namespace that this process has to itself."""
    _mount(disk, "size=64m,mode=755")
    with a_lesko(disk / "home") as lesko:
        lesko.home.mkdir()
        too_small = _refusal(lesko)
        _mount(disk, "remount,size=260m")
        _shown(lesko)
        filler = disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(CHUNK)
        full = _refusal(lesko)
        filler.unlink()
        return Story([too_small, full], _shown(lesko))


def _refusal(lesko: Lesko) -> Refusal:
    done = lesko.call("run", *SEED)
    return Refusal(done.returncode, done.stdout, done.stderr)


def _shown(lesko: Lesko) -> str:
    running = lesko.start("run", *SEED)
    shown = running.wait_for(UP)
    assert running.stop() == 0
    return shown


def _mount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], check=True)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play_full_disk(Path(sys.argv[1]))))
