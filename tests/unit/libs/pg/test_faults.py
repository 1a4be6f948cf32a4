"""The one table from the driver's exceptions to our faults, row by row."""

import asyncpg
import pytest

from libs.outcome import Fault
from libs.pg import (
    AccessRefused,
    CommitUnknown,
    StoreBroken,
    StoreConflict,
    StoreUnavailable,
    translate,
)


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (asyncpg.ReadOnlySQLTransactionError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.AdminShutdownError("x"), StoreUnavailable, CommitUnknown),
        (asyncpg.CrashShutdownError("x"), StoreUnavailable, CommitUnknown),
        (asyncpg.CannotConnectNowError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.ConnectionDoesNotExistError("x"), StoreUnavailable, CommitUnknown),
        (asyncpg.ConnectionRejectionError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.StatementCompletionUnknownError("x"), StoreUnavailable, CommitUnknown),
        (asyncpg.SerializationError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.DeadlockDetectedError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.LockNotAvailableError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.QueryCanceledError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.DiskFullError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.TooManyConnectionsError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.InvalidCachedStatementError("x"), StoreUnavailable, StoreUnavailable),
        (asyncpg.InterfaceError("connection is closed"), StoreUnavailable, StoreUnavailable),
        (asyncpg.InterfaceError("another operation is in progress"), StoreBroken, StoreBroken),
        (TimeoutError(), StoreUnavailable, CommitUnknown),
        (ConnectionResetError("x"), StoreUnavailable, CommitUnknown),
        (asyncpg.UniqueViolationError("x"), StoreConflict, StoreConflict),
        (asyncpg.UndefinedTableError("x"), StoreBroken, StoreBroken),
        (asyncpg.InvalidPasswordError("x"), AccessRefused, AccessRefused),
        (asyncpg.InvalidAuthorizationSpecificationError("x"), AccessRefused, AccessRefused),
        (asyncpg.InsufficientPrivilegeError("x"), AccessRefused, AccessRefused),
        (asyncpg.InvalidCatalogNameError("x"), AccessRefused, AccessRefused),
        (asyncpg.DataCorruptedError("x"), StoreBroken, StoreBroken),
        (asyncpg.DataError("x"), StoreBroken, StoreBroken),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_means(error: BaseException, read: type[Fault], write: type[Fault]) -> None:
    """What it means depends on whether the lost answer may have been a commit's."""
    assert read is type(translate(error, may_have_committed=False))
    assert write is type(translate(error, may_have_committed=True))


@pytest.mark.parametrize("error", [LookupError("x"), KeyboardInterrupt(), Fault("x")])
def test_leaves_others_alone(error: BaseException) -> None:
    """What is not the driver's is not ours to translate."""
    assert translate(error, may_have_committed=True) is None


def test_says_what_can_be_tried_again() -> None:
    """The loops look at ``retriable`` alone."""
    assert (True, True, False, False) == tuple(
        cls.retriable for cls in (StoreUnavailable, CommitUnknown, StoreConflict, StoreBroken)
    )


@pytest.mark.parametrize(
    ("error", "concerns_all"),
    [
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.CannotConnectNowError("x"), True),
        (asyncpg.ConnectionDoesNotExistError("x"), True),
        (asyncpg.SerializationError("x"), False),
        (asyncpg.QueryCanceledError("x"), False),
    ],
)
def test_says_when_other_connections_are_no_better(
    error: BaseException,
    concerns_all: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """A deadlock is one connection's trouble, a demoted server is everybody's."""
    fault = translate(error, may_have_committed=False)

    assert isinstance(fault, StoreUnavailable)
    assert concerns_all is fault.concerns_all
