"""An event loop in virtual time that draws the order of what is ready from a seed.

Nothing here waits for anything real: when nobody is ready, time jumps to the next timer. A process
that was killed or paused is a set of callbacks that are not run: no ``finally`` of it reaches the
world, as after SIGKILL.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar
from itertools import count
from random import Random
from typing import Any, Final, Self


class Life:
    """One life of one process: from its start to its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.held: list[asyncio.Handle] = []  # What became ready meanwhile.


OUTSIDE: Final = Life("outside")
LIFE: Final[ContextVar[Life]] = ContextVar("life", default=OUTSIDE)
"""Whose code runs; tasks and timers inherit it."""


class Stuck(Exception):
    """Nobody is ready and no timer runs: somebody waits for ever."""


class NumberedTask(asyncio.Task[Any]):
    """A task whose place in a set does not follow from its address."""

    number: int

    def __new__(cls, *_: Any, loop: "SeededLoop", **__: Any) -> Self:
        """Give it its number."""
        task = super().__new__(cls)
        task.number = next(loop.numbers)  # Before the constructor, which puts it into a set.
        return task

    def __hash__(self) -> int:
        return self.number


class NumberedFuture(asyncio.Future[Any]):
    """The same of a future."""

    number: int

    def __hash__(self) -> int:
        return self.number


class SeededLoop(asyncio.BaseEventLoop):
    """The same seed gives the same order of everything."""

    _ready: deque[asyncio.Handle]  # What the base class keeps and does not declare.
    _scheduled: list[asyncio.TimerHandle]
    _timer_cancelled_count: int
    _stopping: bool

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.numbers = count(1)
        self.set_task_factory(self._make_task)
        self._random = random
        self._now_s = 0.0
        self.steps = 0
        self.broken: list[BaseException] = []
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._now_s

    def create_future(self) -> NumberedFuture:
        """Return a future with a number of its own."""
        future = NumberedFuture(loop=self)
        future.number = next(self.numbers)
        return future

    def _make_task(self, loop: Any, coroutine: Any, **more: Any) -> NumberedTask:
        return NumberedTask(coroutine, loop=loop, **more)

    def resume(self, life: Life) -> None:
        """Let a paused process go on, late as it is."""
        life.is_paused = False
        self._ready.extend(life.held)
        life.held.clear()

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.broken.append(error)

    def _run_once(self) -> None:
        """Run one callback: one that is ready now, else the one of the next timer."""
        ready, timers = self._ready, self._scheduled
        while timers and (timers[0]._cancelled or self._is_due(timers[0], bool(ready))):
            timer = heapq.heappop(timers)
            timer._scheduled = False  # type: ignore[attr-defined]  # -- not declared
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._now_s = max(self._now_s, timer.when())
                ready.append(timer)
        if not ready:
            if not self._stopping:
                raise Stuck("nobody is ready and no timer runs")
            return
        if len(ready) > 1:
            ready.rotate(-self._random.randrange(len(ready)))
        self._run(ready.popleft())

    def _is_due(self, timer: asyncio.TimerHandle, anybody_ready: bool) -> bool:  # noqa: FBT001 -- private
        return timer.when() <= self._now_s or not (anybody_ready or self._ready)

    def _run(self, handle: asyncio.Handle) -> None:
        if handle._cancelled:
            return
        context: Context = handle._context  # type: ignore[attr-defined]  # -- not declared
        life = context.get(LIFE, OUTSIDE)
        if life.is_dead:
            return
        if life.is_paused:
            life.held.append(handle)
            return
        self.steps += 1
        handle._run()

    def _process_events(self, event_list: object) -> None:
        """There is no selector."""

    def _write_to_self(self) -> None:
        """Nobody else wakes us."""


class VirtualClock:
    """Both clocks of the port, of one machine whose wall clock may be off."""

    def __init__(
        self, loop: SeededLoop, *, began_ms: int, skew: Callable[[], int] = lambda: 0
    ) -> None:
        self._loop = loop
        self._began_ms = began_ms
        self._skew = skew

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as this machine has them."""
        return self._began_ms + round(self._loop.time() * 1_000) + self._skew()

    def monotonic_ms(self) -> int:
        """Milliseconds since the world began."""
        return round(self._loop.time() * 1_000)
