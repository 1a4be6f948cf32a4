"""Poisson arrivals, and a timer fine enough to start them on time."""

import asyncio
import ctypes
import os
from array import array
from collections.abc import Callable
from random import Random
from time import perf_counter_ns
from typing import Final

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_SECOND_NS: Final = 1_000_000_000
_TURN_MAX: Final = 64
"""Arrivals begun in one turn of the loop, so that answers are read in between."""


def poisson_arrivals(seed: str, rate: float, seconds: float) -> "array[int]":
    """Return when to start, in nanoseconds from 0, at ``rate`` a second; equal for equal seeds."""
    random = Random(seed)  # noqa: S311 -- repeatable load, no secret
    found, at = array("q"), 0.0
    while (at := at + random.expovariate(rate)) < seconds:
        found.append(int(at * _SECOND_NS))
    return found


class _Spec(ctypes.Structure):
    """``struct itimerspec`` without repetition: interval, then the moment."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("at_s", ctypes.c_long),
        ("at_ns", ctypes.c_long),
    )


class Timer:
    """A timerfd on the clock of ``perf_counter_ns``: the loop's own timers only know whole ms."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def wake_at(self, at_ns: int) -> None:
        """Make ``fd`` readable at this moment, at once when it has passed."""
        seconds, rest = divmod(max(at_ns, 1), _SECOND_NS)
        spec = _Spec(0, 0, seconds, rest)
        if self._libc.timerfd_settime(self.fd, _ABSOLUTE, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def clear(self) -> None:
        """Take the wake-up, so that ``fd`` is quiet again."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


async def follow(arrivals: "array[int]", start: Callable[[int], None], *, origin_ns: int) -> None:
    """Call ``start`` with its due moment for every arrival, none early, until all have begun."""
    loop, timer, begun, done = asyncio.get_running_loop(), Timer(), 0, asyncio.Event()

    def wake() -> None:
        nonlocal begun
        timer.clear()
        last = min(begun + _TURN_MAX, len(arrivals))
        now_ns = perf_counter_ns()
        while begun < last and origin_ns + arrivals[begun] <= now_ns:
            start(origin_ns + arrivals[begun])
            begun += 1
        if begun < len(arrivals):
            timer.wake_at(origin_ns + arrivals[begun])
        else:
            done.set()

    loop.add_reader(timer.fd, wake)
    try:
        wake()
        await done.wait()
    finally:
        loop.remove_reader(timer.fd)
        timer.close()
