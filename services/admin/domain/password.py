"""Which passwords people may choose."""

import unicodedata
from typing import Final

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
DIFFERENT_MIN: Final = 6
_GUESSED_FIRST: Final = (
    *("password", "katasandi", "qwerty", "12345678"),
    *("lesko", "koperasi", "admin"),
)


def prepared(password: str) -> str:
    """Return the one form of a password, however its keyboard composes letters."""
    return unicodedata.normalize("NFKC", password)


def password_problem(password: str, *, login: str) -> str | None:
    """Return what is wrong with a new password, None when it may be used; it is not repeated."""
    plain = "".join(c for c in prepared(password).casefold() if c.isalnum())
    if not LENGTH_MIN <= len(prepared(password)) <= LENGTH_MAX:
        return f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters"
    if len(set(plain)) < DIFFERENT_MIN:
        return f"a password has at least {DIFFERENT_MIN} different letters or digits"
    if login in prepared(password).casefold() or any(word in plain for word in _GUESSED_FIRST):
        return "a password holds neither the login nor a word that is guessed first"
    return None
