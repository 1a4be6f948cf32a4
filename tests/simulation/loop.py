"""An event loop in virtual time that draws the order of what is ready from a seed.

Nothing here waits for anything real: when nobody is ready, time jumps to the next timer. A process
that was killed or paused is a set of callbacks that are not run: no ``finally`` of it reaches the
world, as after SIGKILL.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, Final, Self


class Life:
    """One life of one process: from its start to its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.held: list[Handle] = []  # What became ready meanwhile.


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


class Handle:
    """What call_soon and call_at give: asyncio's own costs more than most of what it runs."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "when_s")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False
        self.when_s = 0.0

    def cancel(self) -> None:
        """Do not run it."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Whether it will not run."""
        return self.is_cancelled

    def when(self) -> float:
        """Tell for when a timer was set."""
        return self.when_s


class SeededLoop(asyncio.BaseEventLoop):
    """The same seed gives the same order of everything."""

    _stopping: bool  # What the base class keeps and does not declare.

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.numbers = count(1)
        self.set_task_factory(self._make_task)
        self._random = random
        self._now_s = 0.0
        self._waiting: deque[Handle] = deque()  # For their turn.
        self._timers: list[tuple[float, int, Handle]] = []
        self._order = count()  # Of timers for the same moment.
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

    def call_soon(  # type: ignore[override]  # -- a handle of our own
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Run it when its turn is drawn."""
        handle = Handle(callback, args, context)
        self._waiting.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # -- as above
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """Run it once it is so late."""
        handle = Handle(callback, args, context)
        handle.when_s = when
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_later(  # type: ignore[override]  # -- as above
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """Run it so many seconds later."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def _make_task(self, loop: Any, coroutine: Any, **more: Any) -> NumberedTask:
        return NumberedTask(coroutine, loop=loop, **more)

    def resume(self, life: Life) -> None:
        """Let a paused process go on, late as it is."""
        life.is_paused = False
        self._waiting.extend(life.held)
        life.held.clear()

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.broken.append(error)

    def _run_once(self) -> None:
        """Run callbacks until somebody stops the loop: of those that are ready now, a drawn one."""
        waiting, draw = self._waiting, self._random.randrange
        while not self._stopping:
            self._take_due()
            if not waiting:
                raise Stuck("nobody is ready and no timer runs")
            if len(waiting) > 1:
                waiting.rotate(-draw(len(waiting)))
            self._run(waiting.popleft())

    def _take_due(self) -> None:
        """Let timers that are due have their turn; time goes on when nobody else is ready."""
        timers, waiting = self._timers, self._waiting
        while timers and (timers[0][0] <= self._now_s or not waiting):
            when_s, _, timer = heapq.heappop(timers)
            if not timer.is_cancelled:
                self._now_s = max(self._now_s, when_s)
                waiting.append(timer)

    def _run(self, handle: Handle) -> None:
        if handle.is_cancelled:
            return
        life = handle.context.get(LIFE, OUTSIDE)
        if life.is_dead:
            return
        if life.is_paused:
            life.held.append(handle)
            return
        self.steps += 1
        try:
            handle.context.run(handle.callback, *handle.args)
        except Exception as error:  # noqa: BLE001 -- as asyncio's handle: told, and the loop goes on
            self.call_exception_handler({"message": "a callback failed", "exception": error})

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
