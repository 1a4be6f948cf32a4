"""Turn what PostgreSQL's programs write on their way down into one sentence for a person."""

import re
from typing import Final

__all__ = ["explain"]

# The first pattern that is found speaks; {0} is what it captured.
_SENTENCES: Final = (
    (r"No space left on device", "the disk is full; free some space."),
    (r"Disk quota exceeded", "the user's disk quota is used up; free some space."),
    (r"Read-only file system", "the file system is read-only."),
    (
        r"error while loading shared libraries: ([^\s:]+)",
        "the shared library {0} is missing; install the package that holds it.",
    ),
    (r"(GLIBC_[\d.]+)' not found", "this machine's C library is too old ({0} is needed)."),
    (r"Exec format error", "the program was built for another kind of processor."),
    (
        r"database files are incompatible with server|incompatible with server",
        "the data directory was made by another version of PostgreSQL.",
    ),
    (r"could not create any TCP/IP sockets", "the TCP port is taken."),
    (
        r"pre-existing shared memory block|is still in use",
        "parts of an earlier server are still ending; try again in a moment.",
    ),
    (r"lock file \"[^\"]*\" already exists", "another server runs in this data directory."),
    (
        r"could not create shared memory segment|could not map anonymous shared memory",
        "there is not enough shared memory; ask for less, or give the machine more.",
    ),
    (r"could not create semaphores", "the machine's limit of semaphores is reached."),
    (r"cannot be (?:run|executed) (?:as|by) .?root", "PostgreSQL refuses to run as root."),
    (
        r"data directory \"[^\"]*\" has (?:wrong ownership|invalid permissions)",
        "the data directory belongs to another user, or others may read it.",
    ),
    (
        r"could not (?:locate|find) a valid checkpoint record|invalid primary checkpoint record",
        "the data directory is damaged (no valid checkpoint); restore it from a backup.",
    ),
    (r"Permission denied", "it may not read or write there (permission denied)."),
)
_LAST_WORD: Final = re.compile(r"(?:FATAL|PANIC|ERROR|error):\s*(.+)")


def explain(output: str) -> str:
    """Return one sentence on why a program failed, from what it wrote."""
    for pattern, sentence in _SENTENCES:
        if found := re.search(pattern, output):
            return sentence.format(*found.groups())
    if words := _LAST_WORD.findall(output):
        return f"{words[-1].strip().rstrip('.')}."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else "it says nothing about why."
