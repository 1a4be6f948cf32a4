"""A log whose disk is full loses lines and says so; whoever writes goes on."""

import errno
import io
from typing import TextIO, cast

from libs.observe import log_problem, steady


class FullDisk(io.StringIO):
    """A file that takes nothing while it is full."""

    is_full = False

    def write(self, text: str) -> int:
        """Fail while full."""
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_goes_on_and_counts_what_was_lost() -> None:
    """No exception reaches the writer; the problem ends by itself with a line that counts."""
    disk = FullDisk()
    stream = steady(cast("TextIO", disk))
    stream.write("one\n")
    disk.is_full = True
    stream.write("two\n")
    stream.flush()
    stream.write("three\n")
    full = log_problem(stream)
    disk.is_full = False
    after = log_problem(stream)
    stream.write("four\n")

    assert full == "log lines cannot be written: no space left on device; 2 are lost so far"
    assert (None, None) == (after, log_problem(stream))
    lines = disk.getvalue().splitlines()
    assert ["one", "four"] == [line for line in lines if not line.startswith("{")]
    assert '"event":"log_lines_lost","count":2' in lines[1]


def test_any_other_stream_has_no_problem() -> None:
    """Only what was made steady is watched."""
    assert log_problem(io.StringIO()) is None
