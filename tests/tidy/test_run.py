"""The runner tells the truth: what failed, what hung, and what was not run and why."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.run import Result, Ring, close, main, run_ring

PASSING = "def test_a():\n    assert True\n"


def ring(folder: Path, text: str | None = None) -> Ring:
    """Return a ring of one file of tests."""
    if text is not None:
        (folder / "test_a.py").write_text(text)
    return Ring(name="a", seconds_max=60, tests=folder)


def left_out(reason: str) -> str:
    """Return one passing test and one that skips for this reason."""
    return f"import pytest\n{PASSING}\ndef test_b():\n    pytest.skip({reason!r})\n"


def test_counts_what_passed(tmp_path: Path) -> None:
    """A green ring passes, with its number of tests."""
    result = run_ring(ring(tmp_path, PASSING))

    assert ("passed", 1, 0, []) == (result.state, result.passed, result.failed, result.left_out)
    assert not result.fails(strict=True)


def test_fails_with_one_failing_test(tmp_path: Path) -> None:
    """One red test among green ones makes the run red."""
    result = run_ring(ring(tmp_path, f"{PASSING}\ndef test_b():\n    assert False\n"))

    assert ("failed", 1, 1) == (result.state, result.passed, result.failed)
    assert close([result, Result(ring="b")], strict=False) == 1


def test_fails_with_a_file_that_does_not_import(tmp_path: Path) -> None:
    """Tests that could not be collected are not green."""
    result = run_ring(ring(tmp_path, "import nothing_of_this_name\n"))

    assert result.fails(strict=False)


def test_names_a_ring_without_tests(tmp_path: Path) -> None:
    """An empty ring is not green: it was not run; CI may not leave it out."""
    result = run_ring(ring(tmp_path))

    assert ("NOT RUN", "it holds no test") == (result.state, result.why)
    assert close([result], strict=False) == 0
    assert close([result], strict=True) == 1


def test_names_a_ring_without_a_folder(tmp_path: Path) -> None:
    """A ring that is not there yet was not run."""
    assert run_ring(ring(tmp_path / "none")).state == "NOT RUN"


def test_names_a_test_that_was_left_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A skipped test is printed with its reason, and counts as missing in CI."""
    result = run_ring(ring(tmp_path, left_out("no PostgreSQL")))

    assert close([result], strict=False) == 0
    lines = capfd.readouterr().out.splitlines()  # What stands before depends on pytest's root.
    assert any(
        line.startswith("NOT RUN: ") and line.endswith("test_a.test_b: no PostgreSQL")
        for line in lines
    )
    assert close([result], strict=True) == 1


def test_forgives_a_tool_that_a_machine_may_lack(tmp_path: Path) -> None:
    """Without Go its test is left out, even in CI."""
    result = run_ring(ring(tmp_path, left_out("Go is not installed")))

    assert len(result.left_out) == 1
    assert not result.fails(strict=True)


def test_ends_a_ring_that_hangs(tmp_path: Path) -> None:
    """The time limit ends it, and it is red."""
    hanging = "import time\ndef test_a():\n    time.sleep(60)\n"

    result = run_ring(replace(ring(tmp_path, hanging), seconds_max=3))

    assert ("failed", "it took more than 3 s") == (result.state, result.why)
    assert result.seconds < 30


@pytest.mark.parametrize(("code", "state"), [(0, "passed"), (1, "failed"), (5, "failed")])
def test_takes_a_program_by_its_exit_code(code: int, state: str) -> None:
    """Linters pass with 0 only."""
    program = ("python", "-c", f"raise SystemExit({code})")

    assert state == run_ring(Ring(name="a", seconds_max=60, program=program)).state


def test_refuses_a_ring_that_it_does_not_know() -> None:
    """A typing mistake is no green run."""
    assert main(["unti"]) == 2


def test_closes_with_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line counts everything."""
    close([Result(ring="a", passed=3, failed=1, state="failed", left_out=["b: c"])], strict=False)

    assert capsys.readouterr().out.endswith("total: 3 passed, 1 failed, 1 skipped\n")
