"""Run the rings of tests in their order and close with one line for each (DESIGN 13).

``python tests/run.py [RING ...]``; without a name all of them. A ring passed, failed, or was NOT
RUN for a reason that is said. With ``LESKO_STRICT=1`` what was not run counts as failed, unless its
reason is one of those that a machine may have.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
MAY_LACK = (
    "Go is not installed",
    "only root is refused by PostgreSQL",  # Its twin runs where this one cannot.
    "root may write everywhere",
)
"""Ends of reasons for which a test may be left out even under LESKO_STRICT."""
GOODBYE_SECONDS = 20
PYTEST_FOUND_NOTHING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One step: a program, or the tests of a directory when it names none."""

    name: str
    seconds_max: int  # At least three times its budget: it guards against hanging.
    program: tuple[str, ...] = ()
    tests: Path | None = None
    uses_kafka: bool = False


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a ring."""

    ring: str
    state: str = "passed"  # Or "failed", or "NOT RUN".
    why: str = ""
    passed: int = 0
    failed: int = 0
    left_out: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def fails(self, *, strict: bool) -> bool:
        """Tell whether the whole run fails for this ring."""
        missing = [line for line in self.left_out if not line.endswith(MAY_LACK)]
        return self.state == "failed" or (strict and (self.state == "NOT RUN" or bool(missing)))


RINGS = (
    Ring(name="tidy", seconds_max=120, tests=ROOT / "tests" / "tidy"),
    Ring(name="format", seconds_max=60, program=("ruff", "format", "--check", ".")),
    Ring(name="lint", seconds_max=60, program=("ruff", "check", ".")),
    Ring(name="types", seconds_max=600, program=("mypy",)),
    Ring(name="laws", seconds_max=120, program=("lint-imports",)),
    Ring(name="unit", seconds_max=300, tests=ROOT / "tests" / "unit"),
    Ring(name="property", seconds_max=600, tests=ROOT / "tests" / "property"),
    Ring(name="contract", seconds_max=360, tests=ROOT / "tests" / "contract", uses_kafka=True),
    Ring(
        name="integration", seconds_max=720, tests=ROOT / "tests" / "integration", uses_kafka=True
    ),
    Ring(name="simulation", seconds_max=720, tests=ROOT / "tests" / "simulation"),
    Ring(name="fuzz", seconds_max=120, tests=ROOT / "tests" / "fuzz"),
    Ring(name="e2e", seconds_max=900, tests=ROOT / "tests" / "e2e", uses_kafka=True),
)


def main(names: Sequence[str]) -> int:
    """Run the named rings, or all, in the order above; return the exit code."""
    by_name = {ring.name: ring for ring in RINGS}
    for name in names:
        if name not in by_name:
            say(f"No ring is called {name}; there are: {', '.join(by_name)}.")
            return 2
    chosen = [ring for ring in RINGS if not names or ring.name in names]
    results = []
    with ExitStack() as held:
        environment: dict[str, str] = {}
        for ring in chosen:
            if ring.uses_kafka and not environment:
                environment = hold_kafka(held)
            results.append(run_ring(ring, environment))
    return close(results, strict=os.environ.get("LESKO_STRICT") == "1")


def hold_kafka(held: ExitStack) -> dict[str, str]:
    """Bring up the one Kafka of this run; return the variables by which its rings know of it."""
    sys.path.insert(0, str(ROOT))  # As a script we only find what stands beside us.
    from tests import kafka  # noqa: PLC0415 -- found by the line above

    found = held.enter_context(kafka.hold_kafka())
    say(
        f"Kafka for tests: {found.what}" if found.bootstrap else f"No Kafka for tests: {found.what}"
    )
    return {kafka.TOLD: json.dumps(found)}


def run_ring(ring: Ring, environment: Mapping[str, str] | None = None) -> Result:
    """Run one ring under its time limit; its own output goes straight through."""
    say(f"\n== {ring.name}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run_program(
            command_of(ring, report), seconds_max=ring.seconds_max, environment=environment or {}
        )
        result = judge(ring, code, report)
    result.seconds = time.monotonic() - began
    return result


def command_of(ring: Ring, report: Path) -> list[str]:
    """Return the command line of a ring; tests also write a report for us to count."""
    if ring.tests is None:
        return [str(Path(sys.executable).parent / ring.program[0]), *ring.program[1:]]
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--junit-xml={report}"]
    return [*command, "--durations=3", "--durations-min=5", str(ring.tests)]


def run_program(
    command: Sequence[str], *, seconds_max: int, environment: Mapping[str, str]
) -> int | None:
    """Return the exit code, or None when the time limit passed; leaves no child behind."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        process_group=0,
        env={**os.environ, **environment},
    ) as child:
        try:
            return child.wait(seconds_max)
        except subprocess.TimeoutExpired:
            end_group(child)
            return None
        except KeyboardInterrupt:
            end_group(child)
            raise


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to clean up as after Ctrl-C, then end what is left of its group."""
    os.killpg(child.pid, signal.SIGINT)
    try:
        child.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)


def judge(ring: Ring, code: int | None, report: Path) -> Result:
    """Turn an exit code and a report into a result."""
    result = Result(ring=ring.name)
    if code is None:
        result.state, result.why = "failed", f"it took more than {ring.seconds_max} s"
        return result
    if ring.tests is None:
        result.state = "passed" if code == 0 else "failed"
        return result
    count(report, result)
    if code == PYTEST_FOUND_NOTHING or (code != 0 and not ring.tests.exists()):
        result.state, result.why = "NOT RUN", "it holds no test"
    elif code != 0:
        result.state = "failed"
    elif result.passed == 0:
        result.state, result.why = "NOT RUN", "none of its tests can run on this machine"
    return result


def count(report: Path, result: Result) -> None:
    """Read pytest's report: how many passed and failed, and which were left out and why."""
    if not report.exists():
        return
    for case in ET.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            name = f"{case.get('classname', '')}.{case.get('name', '')}"
            result.left_out.append(f"{name}: {skipped.get('message', '')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        else:
            result.passed += 1


def close(results: Sequence[Result], *, strict: bool) -> int:
    """Print a line for each ring, each test left out, and the sum; return the exit code."""
    say("\n== what was run")
    for result in results:
        say(line_of(result))
    left_out = [line for result in results for line in result.left_out]
    for line in left_out:
        say(f"NOT RUN: {line}")
    failed = [result.ring for result in results if result.fails(strict=strict)]
    if failed:
        say(f"Failed: {', '.join(failed)}.")
    passed = sum(result.passed for result in results)
    broken = sum(result.failed or result.state == "failed" for result in results)
    say(f"total: {passed} passed, {broken} failed, {len(left_out)} skipped")
    return 1 if failed else 0


def line_of(result: Result) -> str:
    """Write the closing line of a ring."""
    because = f" because {result.why}" if result.why else ""
    tests = f"{result.passed + result.failed} tests, " if result.passed or result.failed else ""
    return f"{result.ring:12} {result.state}{because} ({tests}{result.seconds:.0f} s)"


def say(line: str) -> None:
    """Print a line at once, before the next child prints."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
