"""Run a coroutine on the fast loop until Ctrl-C or a polite kill; a crash dumps no memory."""

import asyncio
import resource
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop


def run_until_stopped(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run ``serve`` with an event that the first SIGINT or SIGTERM sets; a second one cuts off."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # Memory holds keys; no dump of it on a disk.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_with_signals(serve))


async def _with_signals(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()
    assert me is not None

    def asked() -> None:
        if stop.is_set():
            me.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        await serve(stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
