"""What can go wrong with a broker of our own, and Java's or Maven's last words as one sentence."""

import re
from typing import Final

from libs.outcome import Fault

__all__ = ["BrokerDirectoryBusy", "LocalBrokerFault", "LocalBrokerMissing", "explain"]

# The first pattern that is found speaks; {0} is what it captured.
_SENTENCES: Final = (
    (r"No space left on device", "the disk is full; free some space."),
    (r"Disk quota exceeded", "the user's disk quota is used up; free some space."),
    (r"Read-only file system", "the file system is read-only."),
    (
        r"Could not reserve enough space|insufficient memory|Cannot allocate memory|OutOfMemory",
        "there is not enough memory; the broker wants 512 MB.",
    ),
    (r"UnsupportedClassVersionError", "this Java is too old; Kafka needs Java 17 or newer."),
    (r"Address already in use|Failed to bind", "its TCP port is taken."),
    (r"Failed to acquire lock on file", "another broker uses its data directory."),
    (
        r"Could not find or load main class|NoClassDefFoundError|zip END header not found",
        "its jars are damaged or incomplete; remove their directory, they are fetched again.",
    ),
    (
        r"No `?meta\.properties`? found|InconsistentClusterId|CorruptRecordException",
        "its data directory is damaged; remove it, the ledger's database keeps the truth.",
    ),
    (
        r"Could not (?:transfer|find|resolve) (?:artifact|dependencies)|No plugin found for prefix",
        "they cannot be reached; it needs a network, or a mirror or proxy in its settings.xml.",
    ),
    (r"JAVA_HOME", "JAVA_HOME names no Java; set it right or unset it."),
    (r"AccessDenied|Permission denied", "it may not read or write there (permission denied)."),
)
_LAST_WORD: Final = re.compile(r"(?:FATAL|ERROR|Error|Exception)\W+(.+)")


class LocalBrokerFault(Fault):
    """The broker cannot be had here; the text says why and what helps."""


class LocalBrokerMissing(LocalBrokerFault):
    """What a broker is made of is not on this machine and cannot be fetched."""


class BrokerDirectoryBusy(LocalBrokerFault):
    """Another process has a broker in this directory."""


def explain(output: str) -> str:
    """Return one sentence on why a program failed, from what it wrote."""
    for pattern, sentence in _SENTENCES:
        if found := re.search(pattern, output):
            return sentence.format(*found.groups())
    if words := _LAST_WORD.findall(output):
        return f"{words[-1].strip().rstrip('.')}."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else "it says nothing about why."
