"""A stream of log lines that may fail: lines are lost and counted, whoever writes them goes on."""

from typing import Final, TextIO, cast

__all__ = ["LOG_CHECK", "log_problem", "steady"]

LOG_CHECK: Final = "log"


class _SteadyStream:
    """Stands before a stream. Money is in the books; a full disk must not stop who serves it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0
        self._why = ""

    def write(self, text: str) -> int:
        """Write, or lose the text."""
        try:
            self._stream.write(text)
        except OSError as trouble:
            self._fail(trouble)
        return len(text)

    def flush(self) -> None:
        """Flush, or note that it failed."""
        try:
            self._stream.flush()
        except OSError as trouble:
            self._fail(trouble)

    def problem(self) -> str | None:
        """Try again what failed; return what is wrong, None when lines can be written."""
        if not self._why:
            return None
        try:
            self._stream.write(
                f'{{"level":"error","event":"log_lines_lost","count":{self._lost}}}\n'
            )
            self._stream.flush()
        except OSError as trouble:
            self._why = trouble.strerror or type(trouble).__name__
            return f"log lines cannot be written: {self._why.lower()}; {self._lost} are lost so far"
        self._why, self._lost = "", 0
        return None

    def _fail(self, trouble: OSError) -> None:
        self._lost += 1
        self._why = trouble.strerror or type(trouble).__name__


def steady(stream: TextIO) -> TextIO:
    """Return a stream for logs whose write and flush never raise OSError."""
    return cast("TextIO", _SteadyStream(stream))


def log_problem(stream: object) -> str | None:
    """Return why a stream made by ``steady`` loses lines; None for any other stream."""
    return stream.problem() if isinstance(stream, _SteadyStream) else None
