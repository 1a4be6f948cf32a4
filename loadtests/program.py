"""What every load program is around its work: a directory, clean settings, Ctrl-C, one result."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvloop

from libs.clock import SystemClock, business_day
from libs.outcome import Fault
from loadtests.commands import CommandFailed

REPOSITORY: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = REPOSITORY / "loadtests" / "results"
VAR: Final = REPOSITORY / "var"
DSN_VARIABLE: Final = "LESKO_LOAD_DSN"
"""Names a server to use instead of our own; no argument, since it holds a password."""

Result = dict[str, Any]
Work = Callable[[Path, str | None], Coroutine[Any, Any, Result]]
"""Do all of it in a directory, on the server of a DSN or (None) on one of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What becomes of a result."""

    show: Callable[[Result], None]
    is_sound: Callable[[Result], bool]
    leave: Callable[[Path], None] = lambda _: None
    """Called with the working directory before it is removed, whatever happened."""


def tell(sentence: str) -> None:
    """Say what goes on, at once."""
    print(sentence, flush=True)


def run_program(
    name: str, work: Work, ending: Ending, *, place: Path, results: Path | None, quick: bool
) -> int:
    """Work below ``place``, write and show the result; 0 when it is sound.

    A result is never written over, and one of a quick run is not kept among the figures. Settings
    of the switch in the environment do not reach what is measured. 1: it failed, and a sentence
    says why; 130: it was told to stop, and what it had started has ended.
    """
    directory = place.resolve() / f"{name}-{os.getpid()}"
    directory.mkdir(parents=True)
    dsn = os.environ.get(DSN_VARIABLE) or None
    for variable in [each for each in os.environ if each.startswith("LESKO_")]:
        del os.environ[variable]
    day = business_day(SystemClock().now_ms(), ZoneInfo("UTC"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_until_told_to_stop(work(directory, dsn)))
    except (CommandFailed, Fault) as failed:
        print(f"{name}: {failed}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print(f"{name}: stopped; everything that was started has ended", file=sys.stderr)
        return 130
    finally:
        ending.leave(directory)
        shutil.rmtree(directory, ignore_errors=True)
    result = {"name": name, "date": day.isoformat(), "quick": quick, **found}
    file = _write(result, day, name, results or (VAR / "load" if quick else RESULTS))
    ending.show(result)
    tell(f"written to {file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file}")
    return 0 if ending.is_sound(result) else 1


def result_file(directory: Path, day: date, name: str) -> Path:
    """Return a name that is not taken: results are never written over."""
    stem, number = f"{day.isoformat()}-{name}", 2
    found = directory / f"{stem}.json"
    while found.exists():
        found = directory / f"{stem}-{number}.json"
        number += 1
    return found


def _write(result: Result, day: date, name: str, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = result_file(directory.resolve(), day, name)
    file.write_text(json.dumps(result, indent=1) + "\n")
    return file


async def _until_told_to_stop(work: Coroutine[Any, Any, Result]) -> Result:
    """Let Ctrl-C and SIGTERM end what was started, then us; a second one does not disturb that."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def end() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return await task
