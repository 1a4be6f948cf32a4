"""Put the edge together: registry, inbox, pump, handlers, listeners. The only composition root."""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple, TextIO, TypeVar
from zoneinfo import ZoneInfo

import structlog

from libs.bus import Bus, Inbox
from libs.clock import Clock
from libs.contracts.topics import BRIDGE_ANSWERS, REQUESTS
from libs.iso8583 import Dialect, Transport, load_dialect
from libs.observe import Health, Metrics, MoneyLog
from libs.registry import RegistryFollower, RegistryView
from libs.vault import read_token_key
from services.iso_bridge.adapters.answer_partition import check_answer_partition
from services.iso_bridge.adapters.answer_reader import read_answers
from services.iso_bridge.adapters.connection import SocketRules
from services.iso_bridge.adapters.file_limit import allow_files
from services.iso_bridge.adapters.instance_claim import InstanceClaim
from services.iso_bridge.adapters.journal import ObserveJournal
from services.iso_bridge.adapters.request_pump import RequestPump
from services.iso_bridge.adapters.tcp_listener import TcpListener, server_tls
from services.iso_bridge.adapters.upkeep import Upkeep
from services.iso_bridge.domain.message_rate import MessageRate
from services.iso_bridge.domain.patience import Patience
from services.iso_bridge.handlers.answer_requests import AnswerRequests
from services.iso_bridge.handlers.build_answers import AnswerBuilder
from services.iso_bridge.handlers.build_requests import RequestBuilder
from services.iso_bridge.handlers.pending import Pending
from services.iso_bridge.handlers.receive_messages import ReceiveMessages
from services.iso_bridge.handlers.reception import Reception
from services.iso_bridge.handlers.waiting import Waiting
from services.iso_bridge.settings import BridgeKnobs, ListenerSettings, Settings

_SERVICE: Final = "iso_bridge"
_REGISTRY_CHECK: Final = "iso_bridge.registry"
_REQUESTS_CHECK: Final = "iso_bridge.requests"
_ANSWERS_CHECK: Final = "iso_bridge.answers"
_LISTENERS_CHECK: Final = "iso_bridge.listeners"

_Value = TypeVar("_Value")
_OTHER_FILES: Final = 200  # Database, bus, logs, health.


class World(NamedTuple):
    """What whoever starts the edge brings along."""

    settings: Settings
    bus: Bus
    clock: Clock
    health: Health
    metrics: Metrics
    journal: ObserveJournal

    @property
    def knobs(self) -> BridgeKnobs:
        """The edge's own settings."""
        return self.settings.iso_bridge


class Bridge:
    """One running edge."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}  # By listener's name; "name/tls" for its TLS port.
        self.listeners: list[TcpListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the rest until the edge stops."""
        self._tasks.append(asyncio.create_task(work))

    async def watch(self) -> None:
        """Wait until a part fails, and raise what it failed with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """End everything that was started."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def serve(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock,
    health: Health,
    metrics: Metrics | None = None,
    money_stream: TextIO | None = None,
) -> None:
    """Serve until cancelled, then answer what waits (at most ``drain_ms``) and close.

    Money lines go to ``money_stream``, else to standard output. Raises ListenerFault (port in
    use, TLS files), NoSuchAnswerPartition, VaultFault, DialectBroken, TopicUnknown, or what a
    part failed with.
    """
    async with open_bridge(
        settings, bus=bus, clock=clock, health=health, metrics=metrics, money_stream=money_stream
    ) as bridge:
        await bridge.watch()


@asynccontextmanager
async def open_bridge(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock,
    health: Health,
    metrics: Metrics | None = None,
    money_stream: TextIO | None = None,
) -> AsyncIterator[Bridge]:
    """Give an edge that answers terminals; leaving drains it. Raises as ``serve``."""
    for check in (_REGISTRY_CHECK, _REQUESTS_CHECK, _ANSWERS_CHECK, _LISTENERS_CHECK):
        health.expect(check)
    loop = asyncio.get_running_loop()
    figures = metrics or Metrics()
    money = MoneyLog(money_stream or sys.stdout, service=_SERVICE, defer=loop.call_soon)
    world = World(settings, bus, clock, health, figures, ObserveJournal(figures, money))
    bridge = Bridge()
    async with AsyncExitStack() as stack:
        stack.callback(money.flush)
        stack.push_async_callback(bridge.stop)
        await check_answer_partition(bus, settings.iso_bridge.answer_partition)
        view = await _follow_registry(bridge, world)
        receive, upkeep = await _open_way(bridge, world, view, stack)
        stack.push_async_callback(upkeep.drain, settings.iso_bridge.drain_ms)
        stack.callback(health.report, _LISTENERS_CHECK, "the edge is closing")
        await _listen(bridge, world, receive)
        yield bridge


async def _follow_registry(bridge: Bridge, world: World) -> RegistryView:
    """Read the registry before anybody is let in: every terminal would be unknown."""
    view = RegistryView()
    follower = RegistryFollower(
        bus=world.bus,
        view=view,
        clock=world.clock,
        report=partial(world.health.report, _REGISTRY_CHECK),
        wait_ms=world.knobs.registry_wait_ms,
    )
    bridge.start(follower.run())
    await follower.filled()
    return view


async def _open_way(
    bridge: Bridge, world: World, view: RegistryView, stack: AsyncExitStack
) -> tuple[ReceiveMessages, Upkeep]:
    """Build the way in and the way out, and start what keeps them going."""
    knobs, clock, health = world.knobs, world.clock, world.health
    tokens = read_token_key(world.settings.vault.keys_directory)
    inbox, claim = await _open_inbox(world, stack)
    stack.push_async_callback(bridge.stop)  # Before the reader goes.
    pump = RequestPump(
        world.bus,
        timeout_ms=knobs.send_timeout_ms,
        gather_ms=knobs.gather_ms,
        report=partial(health.report, _REQUESTS_CHECK),
    )
    pending = Pending(inbox, pump, in_flight_max=knobs.in_flight_max)
    builder = AnswerBuilder()
    answer = AnswerRequests(pending=pending, answers=builder, clock=clock, journal=world.journal)
    requests = RequestBuilder(
        answer_partition=knobs.answer_partition,
        request_partitions=(await world.bus.topic(REQUESTS)).partitions,
    )
    receive = ReceiveMessages(
        pending=pending,
        requests=requests,
        answers=builder,
        tokens=tokens,
        terminals=view,
        clock=clock,
        journal=world.journal,
    )
    claim.serve(lambda objection: pump.put(objection, _not_missed))
    bridge.start(claim.lost())
    bridge.start(pump.run())
    bridge.start(read_answers(inbox, answer, partial(health.report, _ANSWERS_CHECK)))
    upkeep = Upkeep(bridge.listeners, pending, clock, world.metrics)
    bridge.start(upkeep.sweep(answer.sweep, inbox, every_ms=knobs.sweep_ms))
    return receive, upkeep


async def _open_inbox(world: World, stack: AsyncExitStack) -> tuple[Inbox[Waiting], InstanceClaim]:
    """Open our answers partition once nobody else uses it."""
    knobs = world.knobs
    reader = await world.bus.open_tail_reader(BRIDGE_ANSWERS, partition=knobs.answer_partition)
    stack.push_async_callback(reader.close)
    claim = InstanceClaim(
        world.bus,
        world.clock,
        partition=knobs.answer_partition,
        holder=f"{socket.gethostname()}, process {os.getpid()}",
        send_ms=knobs.send_timeout_ms,
    )
    inbox: Inbox[Waiting] = Inbox(reader, world.clock, notice=claim.hear)
    if knobs.claim_ms:
        report = partial(world.health.report, _ANSWERS_CHECK)
        await claim.seek(inbox, wait_ms=knobs.claim_ms, report=report)
    return inbox, claim


def _not_missed() -> None:
    """Do nothing about an objection that may be lost: whoever seeks will announce itself."""


async def _listen(bridge: Bridge, world: World, receive: ReceiveMessages) -> None:
    listeners = world.knobs.listeners
    allowed = allow_files(sum(each.connections_max for each in listeners) + _OTHER_FILES)
    log = structlog.get_logger(_SERVICE)
    for number, wanted in enumerate(listeners):
        dialect = load_dialect(wanted.dialect_directory)
        prefix = "LESKO_ISO_BRIDGE__" if number == 0 else "LESKO_ISO_BRIDGE__MORE_LISTENERS "
        await _open_listener(bridge, world, receive, wanted, dialect, prefix)
        log.info(
            "listening",
            listener=wanted.name,
            port=bridge.ports[wanted.name],
            dialect=dialect.name,
            digest=dialect.digest,
            open_files_max=allowed,
        )
    world.health.report(_LISTENERS_CHECK, None)


async def _open_listener(
    bridge: Bridge,
    world: World,
    receive: ReceiveMessages,
    wanted: ListenerSettings,
    dialect: Dialect,
    prefix: str,
) -> None:
    transport = dialect.transport
    reception = _reception(wanted, dialect)
    host = transport.host if wanted.host is None else wanted.host
    doors: list[tuple[str, int, str, ssl.SSLContext | None]]
    doors = [(wanted.name, transport.port if wanted.port is None else wanted.port, "PORT", None)]
    if wanted.tls is not None:
        secured = server_tls(wanted.tls.certificate, wanted.tls.key)
        doors.append((f"{wanted.name}/tls", wanted.tls.port, "TLS__PORT", secured))
    for name, port, setting, context in doors:
        listener = TcpListener(
            rules=_socket_rules(wanted, transport, is_tls=context is not None),
            receive=lambda caller, frame: receive(caller, reception, frame),
            clock=world.clock,
            journal=world.journal,
            connections_max=wanted.connections_max,
            tls=context,
        )
        bridge.listeners.append(listener)
        bridge.ports[name] = await listener.open(host, port, setting=prefix + setting)


def _reception(wanted: ListenerSettings, dialect: Dialect) -> Reception:
    transport = dialect.transport
    return Reception(
        name=wanted.name,
        dialect=dialect,
        zone=ZoneInfo(_or(wanted.zone, transport.zone)),
        answer_ms=_or(wanted.answer_ms, transport.answer_ms),
        sign_on_required=_or(wanted.sign_on_required, transport.sign_on_required),
        rate=MessageRate(per_second=wanted.terminal_per_second, burst=wanted.terminal_burst),
    )


def _socket_rules(wanted: ListenerSettings, transport: Transport, *, is_tls: bool) -> SocketRules:
    return SocketRules(
        frame=transport.frame,
        patience=Patience(
            _or(wanted.first_message_ms, transport.first_message_ms),
            _or(wanted.frame_ms, transport.frame_ms),
            _or(wanted.idle_ms, transport.idle_ms),
        ),
        keepalive_interval_ms=_or(wanted.keepalive_interval_ms, transport.keepalive_interval_ms),
        keepalive_count=_or(wanted.keepalive_count, transport.keepalive_count),
        dropped_in_a_row_max=_or(wanted.dropped_in_a_row_max, transport.dropped_in_a_row_max),
        unsent_bytes_max=wanted.unsent_bytes_max,
        is_tls=is_tls,
    )


def _or(wanted: _Value | None, otherwise: _Value) -> _Value:
    """Take a listener's own setting, else its dialect's."""
    return otherwise if wanted is None else wanted
