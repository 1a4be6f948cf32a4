"""Looks at the cluster twice a second, over a connection of its own: is it there, and the same.

Fetches and sends name topics, not logs: a broker that came back empty at the same address would
silently be taken for the one that we knew. Readers give nothing out that was not looked at since.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError

from libs.bus.faults import BusUnavailable, LogReplaced
from libs.bus.kafka.metadata import ClusterState, TopicsRequest, read_state
from libs.bus.kafka.settings import KafkaLimits, KafkaSettings
from libs.bus.port import TopicInfo
from libs.clock import Clock

_TROUBLE: Final = (KafkaError, OSError, TimeoutError, NotImplementedError)
_CLOSE_SECONDS: Final = 1.0


class ClusterWatch:
    """What is known of the cluster and of the topics that somebody follows."""

    def __init__(
        self, settings: KafkaSettings, clock: Clock, *, client: str, limits: KafkaLimits
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._limits = limits
        self._connection: AIOKafkaConnection | None = None
        self._connecting = asyncio.Lock()
        self._attempts = 0
        self._followed: Counter[str] = Counter()
        self._known: dict[str, TopicInfo] = {}
        self._ever_known: set[str] = set()
        self._seen_ms: dict[str, int] = {}
        self._heard_ms: int | None = None
        self._looked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._is_away = False
        self._log = structlog.get_logger("libs.bus.kafka")
        self.cluster_id = ""
        self.on_other_cluster: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Look once and then again and again; raises BusUnavailable."""
        await self.ask([])
        self._looking = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """End; what was known is forgotten."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
            self._looking = None
        self._forget_looks()
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.wait({connection.close()}, timeout=_CLOSE_SECONDS)

    async def ask(self, topics: Sequence[str]) -> ClusterState:
        """Ask a broker now; raises BusUnavailable within ``ask_ms``."""
        try:
            async with asyncio.timeout(self._limits.ask_ms / 1000):
                connection = await self._connect()
                response = await connection.send(TopicsRequest(topics))
        except _TROUBLE as trouble:
            self._drop()
            where = self._settings.bootstrap
            message = f"no Kafka broker answers at {where} ({type(trouble).__name__})"
            raise BusUnavailable(message) from None
        state = read_state(response)
        self._see(topics, state)
        return state

    def follow(self, topic: str) -> None:
        """Look at a topic from now on."""
        self._followed[topic] += 1

    def leave(self, topic: str) -> None:
        """Follow it once less."""
        self._followed[topic] -= 1

    def known(self, topic: str) -> TopicInfo | None:
        """Return what was last heard of a topic; None when it was not there."""
        return self._known.get(topic)

    def has_vanished(self, topic: str) -> bool:
        """Tell whether a topic was there and is no longer."""
        return topic in self._ever_known and topic not in self._known

    def is_same(self, topic: str, log: str) -> bool:
        """Tell whether a topic is surely this log now; raises LogReplaced when it is another."""
        seen_ms = self._seen_ms.get(topic)
        if seen_ms is None or self._clock.monotonic_ms() - seen_ms > self._limits.fresh_ms:
            return False
        info = self._known.get(topic)
        if info is not None and info.id != log:
            raise LogReplaced(topic)
        return info is not None

    def problem(self, topic: str) -> str:
        """Return why a topic is not surely the same now."""
        if topic in self._seen_ms and self.has_vanished(topic):
            return f"topic {topic} is gone; `lesko topics apply` makes it"
        return f"no Kafka broker answers at {self._settings.bootstrap}"

    @property
    def is_fresh(self) -> bool:
        """Tell whether a broker was heard of lately, and has not hung up since."""
        heard_ms = self._heard_ms
        if heard_ms is None:
            return False
        return self._clock.monotonic_ms() - heard_ms <= self._limits.fresh_ms

    async def until_fresh(self, *, timeout_ms: int) -> None:
        """Wait until a broker is heard of; raises BusUnavailable."""
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while not self.is_fresh:
                    self._hurry.set()
                    await self._looked.wait()
        except TimeoutError:
            message = f"no Kafka broker answers at {self._settings.bootstrap}"
            raise BusUnavailable(message) from None

    async def next_look(self) -> None:
        """Wait until something was heard."""
        await self._looked.wait()

    async def _look_on(self) -> None:
        while True:
            self._hurry.clear()
            try:
                await self.ask(sorted(topic for topic, n in self._followed.items() if n > 0))
            except BusUnavailable as fault:
                if not self._is_away:
                    self._is_away = True
                    self._log.warning("kafka_away", problem=str(fault))
            else:
                if self._is_away:
                    self._is_away = False
                    self._log.info("kafka_back")
            try:
                async with asyncio.timeout(self._limits.watch_ms / 1000):
                    await self._hurry.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(self._limits.watch_ms / 4000)  # It has just hung up on us.

    async def _connect(self) -> AIOKafkaConnection:
        async with self._connecting:
            if self._connection is None or not self._connection.connected():
                self._drop()
                hosts = self._settings.hosts()
                host, port = hosts[self._attempts % len(hosts)]
                self._attempts += 1  # The next attempt goes to another broker.
                self._connection = await create_conn(
                    host,
                    port,
                    client_id=self._client,
                    request_timeout_ms=self._limits.ask_ms,
                    on_close=self._on_close,
                    **self._settings.security(),
                )
            return self._connection

    def _on_close(self, connection: AIOKafkaConnection, _reason: Any) -> None:
        """Whoever hung up may come back as another: nothing that was seen counts any more."""
        if connection is self._connection:
            self._forget_looks()
            self._hurry.set()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._forget_looks()
        if connection is not None:
            connection.close()

    def _forget_looks(self) -> None:
        self._seen_ms.clear()
        self._heard_ms = None

    def _see(self, topics: Sequence[str], state: ClusterState) -> None:
        now_ms = self._heard_ms = self._clock.monotonic_ms()
        if state.cluster_id != self.cluster_id:
            had_one = bool(self.cluster_id)
            self.cluster_id = state.cluster_id
            if had_one:
                self._log.warning("kafka_replaced", cluster=state.cluster_id)
                self._seen_ms.clear()
                self.on_other_cluster()
        for topic in topics:
            if topic in state.unsure:
                continue
            self._seen_ms[topic] = now_ms
            if topic in state.topics:
                self._known[topic] = state.topics[topic]
                self._ever_known.add(topic)
            else:
                self._known.pop(topic, None)
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()
