"""Ask for what may stand on no command line: passwords and codes; or read them as lines."""

import sys

import typer

from services.cli.faults import CommandRefused


class Asking:
    """Takes secrets from the terminal, unseen, or with ``from_stdin`` a line of the input each."""

    def __init__(self, *, from_stdin: bool) -> None:
        self._from_stdin = from_stdin

    def secret(self, what: str, *, twice: bool = False) -> str:
        """Return a secret; a new one is asked ``twice``. Raises CommandRefused for none."""
        found = self._line() if self._from_stdin else _prompt(what, twice=twice)
        if not found:
            message = (
                f"{what} is missing: give it on a line of the input, or leave --password-stdin out."
            )
            raise CommandRefused(message)
        return found

    def code(self, what: str) -> str:
        """Return a code, which may be left empty; it is of no use a minute later."""
        if self._from_stdin:
            return self._line()
        found: str = typer.prompt(what, default="", show_default=False)
        return found.strip()

    def _line(self) -> str:
        return sys.stdin.readline().rstrip("\r\n")


def _prompt(what: str, *, twice: bool) -> str:
    found: str = typer.prompt(what, hide_input=True, confirmation_prompt=twice)
    return found
