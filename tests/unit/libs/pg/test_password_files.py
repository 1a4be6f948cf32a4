"""Passwords in files: for the owner alone, whole, and kept."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.pg import PasswordFault, keep_password, new_password, read_password


def test_are_read_as_they_were_kept(tmp_path: Path) -> None:
    """In a folder that is made, with nothing else left in it."""
    path = tmp_path / "keys" / "admin.password"

    assert read_password(path) is None
    assert keep_password(path, SecretStr("a b'c"))
    assert SecretStr("a b'c") == read_password(path)
    assert 0o600 == path.stat().st_mode & 0o777
    assert 0o700 == path.parent.stat().st_mode & 0o777
    assert [path] == list(path.parent.iterdir())


def test_are_overwritten_when_asked_for_alone(tmp_path: Path) -> None:
    """What another process just made stays."""
    path = tmp_path / "admin.password"
    keep_password(path, SecretStr("first"))

    assert not keep_password(path, SecretStr("second"))
    assert SecretStr("first") == read_password(path)
    assert keep_password(path, SecretStr("third"), replace=True)
    assert SecretStr("third") == read_password(path)
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"x\n", 0o640, "chmod 600"),
        (b"x\n", 0o604, "chmod 600"),
        (b"\n", 0o600, "one line"),
        (b"two\nwords\n", 0o600, "one line"),
        ("p\u00e4ss".encode(), 0o600, "ASCII"),
        (b"\xff", 0o600, "no text"),
    ],
)
def test_are_refused(tmp_path: Path, content: bytes, mode: int, said: str) -> None:
    """The sentence names the file and what to do, and nothing of what is in it."""
    path = tmp_path / "admin.password"
    path.write_bytes(content)
    path.chmod(mode)

    with pytest.raises(PasswordFault, match=said) as caught:
        read_password(path)
    assert str(path) in str(caught.value)
    assert "words" not in str(caught.value).replace(str(path), "")


def test_are_random() -> None:
    """No two alike, and long."""
    made = {new_password().get_secret_value() for _ in range(50)}

    assert 50 == len(made)
    assert min(map(len, made)) >= 32
