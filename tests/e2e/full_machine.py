"""A machine whose disk fills up while it trades: the database's, the log's, then both have room.

``python -m tests.e2e.full_machine DIRECTORY`` plays it; it mounts, so it is started in a mount
namespace of its own, which takes everything with it when it ends.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from libs.tcp import free_port
from tests.e2e.process import REPOSITORY, Lesko, Running, a_lesko
from tests.e2e.terminals import Terminals
from tests.mounts import OWN_MOUNTS

SEED = ("--cards", "100", "--outlets", "8")
CHUNK = bytes(1 << 16)
BOUND_S = 60.0
PLAY_S = 240
PATIENCE_S = 12.0  # More than a terminal waits.
ROUNDS_MAX = 20


class Story(NamedTuple):
    """What the switch said and did, stage by stage."""

    red: dict[str, str]  # Problems by check while the database's disk was full.
    silent: int  # Purchases without an answer then.
    healed: str  # DE39 once there was room.
    red_log: dict[str, str]  # Problems while only the log's disk was full.
    without_log: str  # DE39 of a purchase then.
    is_one_process: bool  # From the beginning to the end.
    is_clean: bool  # The books, at the end.
    is_ready: bool
    log_tail: str  # The last lines of the log.
    code: int


def full_machine(lesko: Lesko) -> Story:
    """Play the story in a mount namespace of its own."""
    told = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-m", __name__, lesko.home],
        check=False, capture_output=True, text=True, env=lesko.environment, cwd=REPOSITORY,
        timeout=PLAY_S,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr + told.stdout
    return Story(*json.loads(told.stdout))


def play(disk: Path) -> Story:
    """Fill one disk, make room, fill the other, make room."""
    home = disk / "home"
    data, log = home / "postgres", home / "log"
    for directory, size in ((data, "300m"), (log, "1m")):
        directory.mkdir(parents=True)
        mount: list[str | Path] = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={size},mode=755",
            "none",
            directory,
        ]
        subprocess.run(mount, check=True)
    with a_lesko(home, {"LESKO_ADMIN__PORT": str(free_port())}) as lesko:
        running = lesko.start("run", *SEED)
        running.wait_for("The switch is up.")
        pid = running.process.pid
        _fill(data)
        silent = asyncio.run(_trade(lesko.edc_port, rounds=ROUNDS_MAX))
        red = _until(lesko, running, bool)
        (data / "filler").unlink()
        _until(lesko, running, lambda found: not found)
        healed = _buy(lesko, 2)
        _fill(log)
        asyncio.run(_trade(lesko.edc_port))  # More lines than the log's last page has room for.
        red_log = _until(lesko, running, lambda found: "log" in found)
        without_log = _buy(lesko, 3)
        (log / "filler").unlink()
        found = _until(lesko, running, lambda found: not found)
        clean = bool(lesko.tell("ledger", "verify")["clean"])
        is_one = running.process.poll() is None and running.process.pid == pid
        code = running.stop()
        tail = (log / "lesko.jsonl").read_text()[-2_000:]
        return Story(
            red, silent, healed, red_log, without_log, is_one, clean, not found, tail, code
        )


def _fill(directory: Path) -> None:
    """Leave no room at all."""
    with suppress(OSError), (directory / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(CHUNK)


async def _trade(port: int, *, rounds: int = 1) -> int:
    """Buy 400 times a round until somebody hears nothing; return how many that were."""
    terminals = Terminals(port, first_stan=500 * rounds)
    await terminals.dial()
    with suppress(TimeoutError):
        for _ in range(rounds):
            terminals.buy(400)
            await terminals.wait_answered(terminals.sent, PATIENCE_S)
    await terminals.hang_up()
    return len(terminals.unanswered)


def _buy(lesko: Lesko, stan: int) -> str:
    """Buy once; return DE39, empty for silence."""
    done = lesko.call(
        "iso", "send", "purchase", "--card-serial", "3", "--amount", "1000", "--stan", str(stan),
        "--json",
    )  # fmt: skip
    return str(json.loads(done.stdout)["response_code"]) if done.returncode == 0 else ""


def _until(
    lesko: Lesko, running: Running, is_so: Callable[[dict[str, str]], bool]
) -> dict[str, str]:
    """Wait for what /readyz says and return it."""
    end = time.monotonic() + BOUND_S
    while True:
        found = _problems(lesko)
        if found is not None and is_so(found):
            return found
        assert running.process.poll() is None, running.text
        assert time.monotonic() < end, found
        time.sleep(0.05)


def _problems(lesko: Lesko) -> dict[str, str] | None:
    try:
        url = f"http://127.0.0.1:{lesko.web_port}/readyz"
        return dict(json.load(urllib.request.urlopen(url, timeout=5))["problems"])
    except urllib.error.HTTPError as answer:
        return dict(json.load(answer)["problems"])
    except OSError:
        return None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play(Path(sys.argv[1]))))
