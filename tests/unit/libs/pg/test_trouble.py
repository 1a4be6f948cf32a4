"""One sentence for a person out of what PostgreSQL's programs write."""

import pytest

from libs.pg.trouble import explain


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "postgres: error while loading shared libraries: libicui18n.so.72: cannot open",
            "the shared library libicui18n.so.72 is missing; install the package that holds it.",
        ),
        (
            "LOG:  x\nFATAL:  could not write lock file: No space left on device\n",
            "the disk is full; free some space.",
        ),
        ("FATAL:  could not create any TCP/IP sockets", "the TCP port is taken."),
        (
            "[Errno 8] Exec format error: 'x'",
            "the program was built for another kind of processor.",
        ),
        ("LOG: a\nFATAL:  no such thing\nLOG: b\n", "no such thing."),
        ("first\n\nlast line\n", "last line."),
        ("", "it says nothing about why."),
    ],
)
def test_explains(output: str, sentence: str) -> None:
    """The known cause is named; else the last fatal word; else the last line."""
    assert sentence == explain(output)


def test_full_disk_comes_before_what_it_leads_to() -> None:
    """The cause is found wherever it stands among its consequences."""
    output = "FATAL: could not create semaphores: No space left on device"

    assert "the disk is full; free some space." == explain(output)
