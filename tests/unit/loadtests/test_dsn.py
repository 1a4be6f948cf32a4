"""DSNs of other databases, and without their password."""

import pytest

from loadtests.dsn import with_database, without_password


class TestWithDatabase:
    @pytest.mark.parametrize(
        ("dsn", "other"),
        [
            ("postgresql://u:p@127.0.0.1:5/d?x=1", "postgresql://u:p@127.0.0.1:5/e?x=1"),
            ("postgresql:///d?host=/run", "postgresql:///e?host=/run"),
        ],
    )
    def test_changes_nothing_else(self, dsn: str, other: str) -> None:
        """Server, user and options stay."""
        assert other == with_database(dsn, "e")


class TestWithoutPassword:
    @pytest.mark.parametrize(
        ("dsn", "place", "password"),
        [
            ("postgresql://u:p%40s@127.0.0.1:5/d?x=1", "postgresql://u@127.0.0.1:5/d?x=1", "p@s"),
            ("postgresql://u@127.0.0.1/d", "postgresql://u@127.0.0.1/d", ""),
            ("postgresql:///d?host=/run", "postgresql:///d?host=/run", ""),
        ],
    )
    def test_keeps_it_out_of_the_command(self, dsn: str, place: str, password: str) -> None:
        """A process list shows where pgbench goes and not with what."""
        assert (place, password) == without_password(dsn)
