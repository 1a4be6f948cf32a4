"""Trouble with PostgreSQL in our words, and the one table that turns the driver's words into it."""

from enum import Enum, auto
from typing import Final, NamedTuple

import asyncpg

from libs.outcome import Fault

__all__ = [
    "DRIVER_TROUBLE",
    "AccessRefused",
    "CommitUnknown",
    "DirectoryBusy",
    "ServerFault",
    "StoreBroken",
    "StoreConflict",
    "StoreUnavailable",
    "translate",
]


DRIVER_TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # As when a server says in the middle of something that it ends.
    OSError,
)
"""All that the driver raises; ``translate`` knows each of them."""


class StoreUnavailable(Fault):
    """PostgreSQL did not do it, and nothing was committed; the same again may work later."""

    retriable = True

    def __init__(self, text: str, *, concerns_all: bool = False) -> None:
        super().__init__(text)
        self.concerns_all = concerns_all  # Other connections to this server are no better.


class CommitUnknown(StoreUnavailable):
    """The answer was lost on the way: it may have been committed. Look the key up."""


class StoreConflict(Fault):
    """A constraint refused a row and nobody expected that."""

    def __init__(self, sqlstate: str, constraint: str) -> None:
        super().__init__(f"PostgreSQL refused a row: {constraint or 'constraint'} ({sqlstate}).")
        self.sqlstate = sqlstate
        self.constraint = constraint


class StoreBroken(Fault):
    """Statement, schema, login or data are wrong; the same again will fail again."""


class AccessRefused(StoreBroken):
    """PostgreSQL does not let this login in, or does not let it do this."""


class ServerFault(Fault):
    """Our own server does not start; the text is one sentence (or two) that says what to do."""


class DirectoryBusy(ServerFault):
    """Another living process of ours has this data directory."""


class _Kind(Enum):
    NOT_DONE = auto()  # Surely not committed.
    NOT_DONE_ANYWHERE = auto()  # The same, and the pool's other connections are no better.
    ANSWER_LOST = auto()  # Committed or not, if it was of a kind that commits.
    CONFLICT = auto()
    BROKEN = auto()
    SHUT_OUT = auto()


class _Meaning(NamedTuple):
    kind: _Kind
    text: str
    may_quote_driver: bool = True  # False where the driver's text repeats values of rows.


# By SQLSTATE; the longest prefix that fits wins (PostgreSQL manual, appendix A).
_BY_SQLSTATE: Final = {
    "08": _Meaning(_Kind.ANSWER_LOST, "The connection to PostgreSQL was lost"),
    "08001": _Meaning(_Kind.NOT_DONE_ANYWHERE, "PostgreSQL could not be reached"),
    "08004": _Meaning(_Kind.NOT_DONE_ANYWHERE, "PostgreSQL refused the connection"),
    "08P01": _Meaning(_Kind.BROKEN, "The protocol with PostgreSQL was violated"),
    "22": _Meaning(_Kind.BROKEN, "A value does not fit the statement", may_quote_driver=False),
    "23": _Meaning(_Kind.CONFLICT, "A constraint refused a row", may_quote_driver=False),
    "25006": _Meaning(_Kind.NOT_DONE_ANYWHERE, "PostgreSQL is read-only"),
    "25P03": _Meaning(_Kind.NOT_DONE, "The transaction stood idle for too long"),
    "25P04": _Meaning(_Kind.NOT_DONE, "The transaction took too long"),
    "28": _Meaning(_Kind.SHUT_OUT, "PostgreSQL refused the login"),
    "3D000": _Meaning(_Kind.SHUT_OUT, "There is no such database"),
    "40": _Meaning(_Kind.NOT_DONE, "PostgreSQL rolled the transaction back"),
    "40003": _Meaning(_Kind.ANSWER_LOST, "PostgreSQL does not know how the statement ended"),
    "42501": _Meaning(_Kind.SHUT_OUT, "PostgreSQL does not allow it"),
    "53": _Meaning(_Kind.NOT_DONE, "PostgreSQL is out of something it needs"),
    "55P03": _Meaning(_Kind.NOT_DONE, "A lock was not to be had in time"),
    "57": _Meaning(_Kind.NOT_DONE, "An operator stopped the statement"),
    "57014": _Meaning(_Kind.NOT_DONE, "The statement took too long"),
    "57P01": _Meaning(_Kind.ANSWER_LOST, "PostgreSQL is shutting down"),
    "57P02": _Meaning(_Kind.ANSWER_LOST, "PostgreSQL crashed and recovers"),
    "57P03": _Meaning(_Kind.NOT_DONE_ANYWHERE, "PostgreSQL is starting or stopping"),
    "57P05": _Meaning(_Kind.NOT_DONE, "The connection stood idle for too long"),
    "58": _Meaning(_Kind.NOT_DONE, "PostgreSQL met an error of its machine"),
}

# By class, in this order; what the driver raises without an SQLSTATE from the server.
_BY_CLASS: Final[tuple[tuple[type[BaseException], _Meaning], ...]] = (
    (
        asyncpg.InvalidCachedStatementError,
        _Meaning(_Kind.NOT_DONE, "The schema changed under a prepared statement"),
    ),
    (
        asyncpg.DataError,
        _Meaning(_Kind.BROKEN, "A value does not fit the statement", may_quote_driver=False),
    ),
    (
        asyncpg.exceptions.InternalClientError,
        _Meaning(_Kind.ANSWER_LOST, "The driver lost its way", may_quote_driver=False),
    ),
    (TimeoutError, _Meaning(_Kind.ANSWER_LOST, "PostgreSQL did not answer in time")),
    (OSError, _Meaning(_Kind.ANSWER_LOST, "The connection to PostgreSQL was lost")),
)

_CLOSED: Final = _Meaning(_Kind.NOT_DONE, "The connection to PostgreSQL was closed already")
_MISUSED: Final = _Meaning(_Kind.BROKEN, "The driver was used wrongly")
_UNLISTED: Final = _Meaning(_Kind.BROKEN, "PostgreSQL refused the statement")


def translate(error: BaseException, *, may_have_committed: bool) -> Fault | None:
    """Return what a driver's exception means to us; None for one that is not the driver's.

    ``may_have_committed`` tells whether a lost answer leaves the outcome unknown: true for a
    COMMIT or a statement that commits by itself, false for reads and before the COMMIT. The text
    never repeats values of rows, so chain with ``from None`` as the driver's own text does.
    """
    meaning = _meaning(error)
    if meaning is None:
        return None
    sqlstate = getattr(error, "sqlstate", None) or type(error).__name__
    match meaning.kind:
        case _Kind.CONFLICT:
            return StoreConflict(sqlstate, getattr(error, "constraint_name", None) or "")
        case _Kind.BROKEN:
            return StoreBroken(_text(meaning, sqlstate, error))
        case _Kind.SHUT_OUT:
            return AccessRefused(_text(meaning, sqlstate, error))
        case _Kind.NOT_DONE:
            return StoreUnavailable(_text(meaning, sqlstate, error))
        case _Kind.NOT_DONE_ANYWHERE:
            return StoreUnavailable(_text(meaning, sqlstate, error), concerns_all=True)
        case _Kind.ANSWER_LOST:
            cls = CommitUnknown if may_have_committed else StoreUnavailable
            return cls(_text(meaning, sqlstate, error), concerns_all=True)


def _meaning(error: BaseException) -> _Meaning | None:
    for cls, meaning in _BY_CLASS:
        if isinstance(error, cls):
            return meaning
    if isinstance(error, asyncpg.PostgresError):
        sqlstate = error.sqlstate or ""
        for length in (5, 3, 2):
            if found := _BY_SQLSTATE.get(sqlstate[:length]):
                return found
        return _UNLISTED
    if isinstance(error, asyncpg.InterfaceError):
        # The driver has one class for both; only its text tells them apart.
        text = str(error)
        return _CLOSED if "is clos" in text or "is not initialized" in text else _MISUSED
    return None


def _text(meaning: _Meaning, sqlstate: str, error: BaseException) -> str:
    """Build one sentence, with the driver's own first line where that holds no values."""
    said = str(error).partition("\n")[0] if meaning.may_quote_driver else ""
    return f"{meaning.text} ({sqlstate}{': ' if said else ''}{said})."
