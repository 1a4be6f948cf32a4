"""The chain of what was done to rights and registry: each row holds the hash of the one before."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

GENESIS: Final = bytes(32)


class AuditRow(NamedTuple):
    """One thing that somebody did or tried."""

    no: int  # 1, 2, 3 ... without a gap.
    at_ms: int
    operator: int  # 0: nobody who signed in.
    login: str
    action: str
    entity: str
    result: str  # done, proposed, approved, rejected, refused, void.
    content: str  # Canonical JSON; never a card number, password or code.


class AuditHead(NamedTuple):
    """Where the chain ends."""

    no: int
    hash: bytes


class AuditBreak(NamedTuple):
    """The first row that does not fit, and what is wrong."""

    no: int
    problem: str


def row_hash(row: AuditRow, previous: bytes) -> bytes:
    """Hash a row behind the one before it; every column counts, each with its length."""
    digest = sha256(previous)
    for part in row:
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.digest()


class ChainCheck:
    """Reads a chain from its start in the order of ``no``, one row at a time, and keeps no row.

    ``published`` are heads that were written outside of the database: only those notice a tail
    that was cut together with the table's own head, or a chain that was rewritten whole.
    """

    def __init__(self, published: Iterable[AuditHead] = ()) -> None:
        self._outside: dict[int, set[bytes]] = {}
        for one in published:
            self._outside.setdefault(one.no, set()).add(one.hash)
        self._sound = AuditHead(0, GENESIS)
        self._suspect: tuple[AuditRow, bytes] | None = None

    @property
    def sound(self) -> AuditHead:
        """Where the part that fits ends so far."""
        return self._sound

    def see(self, row: AuditRow, stored: bytes) -> AuditBreak | None:
        """Check the next row; a row that does not fit is named with the help of the one after."""
        if self._suspect is not None:
            return self._name(row, stored)
        no, previous = self._sound
        if row.no <= no:
            return AuditBreak(row.no, "the row was put in: nothing comes before row 1")
        if row.no != no + 1:
            return AuditBreak(no + 1, f"rows {no + 1} to {row.no - 1} were taken out")
        if row_hash(row, previous) != stored:
            self._suspect = row, stored
            return None
        if self._outside.pop(row.no, {stored}) != {stored}:
            return AuditBreak(row.no, "the chain was rewritten: the head published here differs")
        self._sound = AuditHead(row.no, stored)
        return None

    def end(self, head: AuditHead) -> AuditBreak | None:
        """Check behind the last row; ``head`` is where the table itself says that it ends."""
        no, previous = self._sound
        if self._suspect is not None:
            return AuditBreak(no + 1, "the row was changed: its hash does not fit")
        outside = {published for published in self._outside if published > no}
        if outside or head.no > no:
            last = max(outside | {head.no})
            return AuditBreak(no + 1, f"the tail was cut: rows up to {last} were there")
        if head.no < no:
            return AuditBreak(head.no + 1, "rows were put behind the end that the table knows")
        if head.hash != previous:
            return AuditBreak(no, "the chain was rewritten: the table's own head differs")
        return None

    def _name(self, after: AuditRow, after_stored: bytes) -> AuditBreak:
        """Say what happened to the suspect, whose next row is ``after``."""
        assert self._suspect is not None
        row, stored = self._suspect
        no, previous = self._sound
        if row_hash(after, stored) == after_stored:
            what = "the row was changed: its hash does not fit"
        elif row_hash(after._replace(no=no + 1), previous) == after_stored:
            swapped = row_hash(row._replace(no=no + 2), after_stored) == stored
            what = "the row was moved here from behind" if swapped else "the row was put in"
        elif row_hash(after._replace(no=after.no + 1), stored) == after_stored:
            what = "a row was taken out here and those behind it renumbered"
        else:
            what = "the row was changed, moved or put in: its hash does not fit"
        return AuditBreak(no + 1, what)


def verify_chain(
    rows: Iterable[tuple[AuditRow, bytes]], *, head: AuditHead, published: Iterable[AuditHead] = ()
) -> AuditBreak | None:
    """Return the first break of a whole chain; None: it is sound. See ChainCheck."""
    check = ChainCheck(published)
    for row, stored in rows:
        if (found := check.see(row, stored)) is not None:
            return found
    return check.end(head)
