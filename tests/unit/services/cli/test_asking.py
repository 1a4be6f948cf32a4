"""Secrets as lines of the input, one for each question, for people who work with scripts."""

import io

import pytest

from services.cli.asking import Asking
from services.cli.faults import CommandRefused


class TestFromStdin:
    def test_takes_a_line_for_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In the order of the questions; the end of a line is no part of a password."""
        monkeypatch.setattr("sys.stdin", io.StringIO("ombak pasir \r\n123456\n"))
        asking = Asking(from_stdin=True)

        assert ("ombak pasir ", "123456") == (asking.secret("Password"), asking.code("Code"))

    def test_lets_a_code_be_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not everybody has a second factor; a password everybody has."""
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        asking = Asking(from_stdin=True)

        assert "" == asking.code("Code")
        with pytest.raises(CommandRefused, match="Password is missing"):
            asking.secret("Password")
