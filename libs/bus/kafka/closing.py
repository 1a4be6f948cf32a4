"""Ending what aiokafka started, under a time limit; it has no public way that surely ends.

Its ``stop`` waits for brokers that are away, and cancelling it leaves tasks behind. So this reaches
into aiokafka 0.14: whatever changes there shows in tests/contract/libs/bus/kafka/test_closing.py.
"""
# ruff: noqa: SLF001 -- there is no public way, as said above.

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

_CANCEL_TRIES: Final = 5
_CANCEL_SECONDS: Final = 0.2


class Closer:
    """Runs endings in the background, so that nobody who is cancelled cuts one short."""

    def __init__(self, *, close_ms: int) -> None:
        self._seconds = close_ms / 1000
        self._running: set[asyncio.Task[None]] = set()

    def end_consumer(self, consumer: AIOKafkaConsumer) -> "asyncio.Task[None]":
        """Begin to end a consumer."""
        return self._begin(_end_consumer(consumer, self._seconds))

    def end_producer(self, producer: AIOKafkaProducer, *, flush: bool) -> "asyncio.Task[None]":
        """Begin to end a producer; without ``flush`` it sends nothing more, and says so."""
        return self._begin(_end_producer(producer, self._seconds, flush=flush))

    async def join(self) -> None:
        """Wait for all of them."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self, ending: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(ending)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def _end_consumer(consumer: AIOKafkaConsumer, seconds: float) -> None:
    if await _try(consumer.stop(), seconds):
        return
    fetcher, coordinator = consumer._fetcher, consumer._coordinator
    tasks = [
        getattr(coordinator, name, None)
        for name in (
            "_coordination_task",
            "_heartbeat_task",
            "_commit_refresh_task",
            "_reset_committed_task",
        )
    ]
    if fetcher is not None:
        tasks += [fetcher._fetch_task, *fetcher._pending_tasks]
    await _cancel(task for task in tasks if task is not None)
    await _end_client(consumer._client, seconds)


async def _end_producer(producer: AIOKafkaProducer, seconds: float, *, flush: bool) -> None:
    if flush:
        await _try(producer.flush(), seconds)
    client = producer.client
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()  # It takes no more batches and waits for those on their way:
        _hang_up(client)  # they fail, and nothing of theirs is written any more.
        await asyncio.wait({sender}, timeout=seconds)
        await _cancel([sender])
    await _end_client(client, seconds)
    # Whoever waits for a record of this producer hears it now.
    queue = producer._message_accumulator
    for batches in queue._batches.values():
        # One that waits to be tried again is not among the pending ones, and complains of it.
        queue._pending_batches.update(each for each in batches if each.retry_count)
    never_sent = [each for batches in queue._batches.values() for each in batches]
    queue.fail_all(KafkaError("replaced"))
    for batch in never_sent:
        if batch._drain_waiter.done():
            batch._drain_waiter.exception()  # Nobody else will look at it.
    await _try(producer.stop(), seconds)


def _hang_up(client: AIOKafkaClient) -> None:
    for connection in list(client._conns.values()):
        if connection._writer is not None:
            connection._writer.transport.abort()
        connection.close()


async def _end_client(client: AIOKafkaClient, seconds: float) -> None:
    await _try(client.close(), seconds)
    waited_for = client._md_update_fut
    if waited_for is not None and not waited_for.done():
        waited_for.set_result(False)  # A batch that was cut off waits for metadata.


async def _try(ending: Coroutine[Any, Any, Any], seconds: float) -> bool:
    """Give it that long; tell whether it ended well. It is cancelled otherwise."""
    task = asyncio.create_task(ending)
    await asyncio.wait({task}, timeout=seconds)
    if task.done():
        return not task.cancelled() and task.exception() is None
    await _cancel([task])
    return False


async def _cancel(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancel until they end: some of aiokafka's tasks go on after the first time."""
    left = {task for task in tasks if not task.done()}
    for _ in range(_CANCEL_TRIES):
        for task in list(left):
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_CANCEL_SECONDS)
