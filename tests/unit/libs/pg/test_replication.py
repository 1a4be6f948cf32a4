"""What others on the machine see of a program that logs in for us: no password."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.pg.replication import open_environment, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgresql://rep:geheim@h:5432/db?sslmode=require", "rep@h:5432/db?sslmode=require"),
        ("postgresql://rep@h:5432/db?password=geheim", "rep@h:5432/db"),
        ("postgresql://h/db?user=a%40b&password=geheim&passfile=/x", "a%40b@h/db"),
    ],
)
def test_the_password_is_only_in_a_file(tmp_path: Path, text: str, place: str) -> None:
    """Wherever it stands in the DSN, it leaves the arguments and stands in a file of ours."""
    dsn = SecretStr(text)

    with open_environment(dsn, tmp_path / "spool") as environment:
        [path] = (tmp_path / "spool").iterdir()
        words, mode = path.read_text(), path.stat().st_mode & 0o777

    assert f"postgresql://{place}" == place_of(dsn)
    assert ("*:*:*:*:geheim\n", 0o600, str(path)) == (words, mode, environment["PGPASSFILE"])
    assert [] == list((tmp_path / "spool").iterdir())


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    """A file that nobody uses goes at the next start; one that is in use stays."""
    (tmp_path / ".pgpass-old").write_text("*:*:*:*:geheim")
    dsn = SecretStr("postgresql://a:b@h/x")

    with open_environment(dsn, tmp_path), open_environment(dsn, tmp_path):
        left = [path.name for path in tmp_path.iterdir()]

    assert 2 == len(left)
    assert ".pgpass-old" not in left
