"""What the machine is and where its CPU goes, read from /proc; Linux only."""

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
PACKAGES: Final = (
    "asyncpg", "aiokafka", "protobuf", "pyiso8583", "cryptography", "structlog",
    "prometheus-client", "uvloop",
)  # fmt: skip

_PARENT, _USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM = 1, 11, 12, 13, 14
"""Places in /proc/<pid>/stat, counted from the state letter."""

_IDLE, _WAITING = 3, 4
_TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """CPU time used so far, in microseconds: by part of ours, and of all cores of the machine."""

    used_us: Mapping[str, int | None]  # None: it does not run on this machine.
    busy_us: int
    total_us: int


class Observer:
    """Takes snapshots of some processes by name, of PostgreSQL with all its backends, of us.

    ``postmaster`` is None when PostgreSQL does not run on this machine. ``ProcessLookupError``
    when a process is gone.
    """

    def __init__(self, processes: Mapping[str, int], *, postmaster: int | None) -> None:
        self._processes = processes
        self._postmaster = postmaster

    def __call__(self) -> Snapshot:
        """Read all counters now."""
        busy_us, total_us = machine_us()
        used_us: dict[str, int | None] = {
            name: process_us(pid) for name, pid in self._processes.items()
        }
        used_us["postgres"] = None if self._postmaster is None else family_us(self._postmaster)
        used_us["driver"] = process_us(os.getpid())
        return Snapshot(used_us=used_us, busy_us=busy_us, total_us=total_us)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()  # The name before it may hold anything.


def process_us(pid: int) -> int:
    """Return the CPU time of one process, all its threads; ``ProcessLookupError`` when gone."""
    stat = _stat(pid)
    if stat is None:
        message = f"process {pid} has ended"
        raise ProcessLookupError(message)
    return (int(stat[_USER]) + int(stat[_SYSTEM])) * _TICK_US


def resident_kb(pid: int) -> int:
    """Return how much memory a process holds now; ``FileNotFoundError`` when gone."""
    status = (PROC / str(pid) / "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def children(parent: int) -> Iterator[int]:
    """Go through the processes that a process has started itself."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat is not None and int(stat[_PARENT]) == parent:
                yield int(entry.name)


def family_us(parent: int) -> int:
    """Return the CPU time of a process, of its children and of those that have ended."""
    stat = _stat(parent)
    if stat is None:
        message = f"process {parent} has ended"
        raise ProcessLookupError(message)
    ended = (int(stat[_ENDED_USER]) + int(stat[_ENDED_SYSTEM])) * _TICK_US
    used = process_us(parent) + ended
    for child in children(parent):
        child_stat = _stat(child)
        if child_stat is not None:
            used += (int(child_stat[_USER]) + int(child_stat[_SYSTEM])) * _TICK_US
    return used


def parent_of(pid: int) -> int | None:
    """Return the process that started this one; None when there is no such process here."""
    stat = _stat(pid)
    return None if stat is None else int(stat[_PARENT])


def machine_us() -> tuple[int, int]:
    """Return (busy, all) CPU time of the machine since its start; waiting for a disk is idle."""
    ticks = [int(word) for word in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    total = sum(ticks)
    return (total - ticks[_IDLE] - ticks[_WAITING]) * _TICK_US, total * _TICK_US


def describe(data_directory: Path | None) -> dict[str, str | int]:
    """Say what this machine is: nothing that names it or its places."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in (PROC / "cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_kb = int((PROC / "meminfo").read_text().split()[1])
    return {
        "cpu": cpu,
        "cores": os.cpu_count() or 0,
        "memory_gb": round(memory_kb / 1_000_000),
        "kernel": platform.release(),
        "filesystem": "" if data_directory is None else filesystem_of(data_directory),
    }


def filesystem_of(place: Path) -> str:
    """Return the type of the file system that holds a place."""
    best, kind = "", ""
    for line in (PROC / "mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        inside = str(place.resolve()).startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that carry the load."""
    built = ", ".join([*platform.python_build(), platform.python_compiler()])
    found = {"python": f"{platform.python_version()} ({built})"}  # How it was built counts.
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
