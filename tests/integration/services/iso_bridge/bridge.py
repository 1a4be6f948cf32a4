"""A real edge on a real port; behind it a ledger of a few lines on the memory bus."""

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvloop

from libs.bus import Bus, MemoryBus, Outgoing, load_topics
from libs.clock import SystemClock
from libs.contracts.envelope import next_envelope, read_envelope
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, PurseAmount
from libs.contracts.lesko.v1.registry_pb2 import (
    ENTITY_STATUS_ACTIVE,
    RegistryChange,
    Terminal,
)
from libs.contracts.topics import BRIDGE_ANSWERS, LEDGER_ANSWER, REGISTRY, REQUESTS
from libs.observe import Health, Metrics
from libs.outcome import Outcome
from libs.registry import terminal_entity, write_published
from libs.vault import generate_demo_keys
from loadtests.frames import decode_frame, encode_frame, pan_of
from services.iso_bridge.main import Bridge, open_bridge
from services.iso_bridge.settings import BridgeKnobs, Settings, VaultSettings

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

TERMINALS = 5
PAN = pan_of(1)


def on_each_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run an async test on asyncio's loop and on uvloop, which treat bad clients differently."""

    def run(*args: object, loop_factory: LoopFactory, **kwargs: object) -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(test(*args, **kwargs))

    given = inspect.signature(test)
    loop = inspect.Parameter("loop_factory", inspect.Parameter.KEYWORD_ONLY)
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    run.__signature__ = given.replace(  # type: ignore[attr-defined]  # -- read by pytest
        parameters=[*given.parameters.values(), loop]
    )
    run.pytestmark = list(getattr(test, "pytestmark", ()))  # type: ignore[attr-defined]  # -- as above
    factories = pytest.mark.parametrize(
        "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
    )
    return factories(run)


class FakeLedger:
    """Approves what it reads; holds back the STANs that it is told to."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.asked: list[AuthorizeRequested] = []
        self.held: set[int] = set()
        self._kept: list[Outgoing] = []

    async def run(self) -> None:
        """Answer until cancelled."""
        reader = await self._bus.open_group_reader(REQUESTS, group="test")
        while True:
            batch = await reader.take(wait_ms=1_000, records_max=500)
            answers: list[Outgoing] = []
            for record in (one for records in batch.values() for one in records):
                asked = AuthorizeRequested.FromString(record.value)
                self.asked.append(asked)
                answer = _answer(asked, record.envelope)
                held = asked.reference.stan in self.held
                (self._kept if held else answers).append(answer)
            if answers:
                await self._bus.publish(answers, timeout_ms=1_000)

    async def release(self) -> None:
        """Answer what was held back."""
        kept, self._kept = self._kept, []
        await self._bus.publish(kept, timeout_ms=1_000)


def _answer(asked: AuthorizeRequested, envelope: bytes) -> Outgoing:
    cause = read_envelope(envelope)
    answer = LedgerAnswer(
        outcome=Outcome.APPROVED.number,
        rrn=f"{asked.reference.stan:012d}",
        approval_code="000001",
        balances=[PurseAmount(account=1, amount_minor=95_000_000)],
    )
    return Outgoing(
        BRIDGE_ANSWERS,
        cause.answer_partition,
        b"",
        answer.SerializeToString(),
        next_envelope(cause, schema=LEDGER_ANSWER).SerializeToString(),
    )


class Switch:
    """Everything that a test may look at."""

    def __init__(self, bridge: Bridge, ledger: FakeLedger) -> None:
        self.bridge = bridge
        self.ledger = ledger
        self.health = Health()
        self.metrics = Metrics()
        self.money = StringIO()

    def count(self, name: str, **labels: str) -> float:
        """Return a figure as Prometheus would read it."""
        return self.metrics.registry.get_sample_value(f"lesko_{name}_total", labels) or 0

    async def dial(self, listener: str = "edc", tls: ssl.SSLContext | None = None) -> "Line":
        """Connect as a terminal."""
        port = self.bridge.ports[listener]
        return Line(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))


class Line:
    """A terminal's end of a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Write."""
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> tuple[str, dict[int, str]]:
        """Read one frame."""
        async with asyncio.timeout(5):
            length = await self.reader.readexactly(2)
            return decode_frame(length + await self.reader.readexactly(int.from_bytes(length)))

    async def ask(self, frame: bytes) -> str:
        """Send one frame and return its answer's DE39."""
        await self.send(frame)
        return (await self.hear())[1][39]

    async def ended(self) -> bytes:
        """Read to the end of what the switch sends; a reset is an end."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read(-1)
            except ConnectionError:
                return b""

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()


def purchase(stan: int = 1, terminal: int = 1, **more: str) -> bytes:
    """Return a purchase of today's frame; ``de49="360"`` sets a field."""
    return encode_frame("0200", {**_money(stan, terminal, "000000"), **_more(more)})


def inquiry(stan: int = 1, terminal: int = 1, **more: str) -> bytes:
    """Return an inquiry's frame."""
    return encode_frame("0100", {**_money(stan, terminal, "310000"), **_more(more)})


def echo(stan: int = 1, terminal: int = 1, **more: str) -> bytes:
    """Return an 0800's frame."""
    fields = {11: f"{stan:06d}", 41: f"LSK{terminal:05d}", 70: "301"}
    return encode_frame("0800", {**fields, **_more(more)})


def _more(more: dict[str, str]) -> dict[int, str]:
    return {int(name.removeprefix("de")): value for name, value in more.items()}


def _money(stan: int, terminal: int, processing: str) -> dict[int, str]:
    return {
        2: PAN, 3: processing, 4: "000005000000", 11: f"{stan:06d}", 12: "120000",
        13: _today(), 22: "021", 24: "003", 41: f"LSK{terminal:05d}",
        42: f"BUMA{terminal:011d}",
    }  # fmt: skip


def _today() -> str:
    return f"{datetime.now(UTC).astimezone(ZoneInfo('Asia/Jayapura')):%m%d}"


async def publish_terminals(bus: Bus) -> None:
    """Fill the registry."""
    changes = [
        RegistryChange(
            entity=terminal_entity(f"LSK{number:05d}"),
            version=1,
            status=ENTITY_STATUS_ACTIVE,
            terminal=Terminal(
                code=f"LSK{number:05d}",
                outlet=f"BUMA{number:011d}",
                listener="edc",
                may_omit_mac=True,
            ),
        )
        for number in range(1, TERMINALS + 1)
    ]
    changes.append(write_published((await bus.topic(REGISTRY)).id, entities=TERMINALS))
    await bus.publish(
        [
            Outgoing(REGISTRY, 0, one.entity.encode(), one.SerializeToString(), b"")
            for one in changes
        ],
        timeout_ms=1_000,
    )


async def open_bus() -> MemoryBus:
    """Return a bus with every topic and a filled registry."""
    bus = MemoryBus(load_topics(Path("deploy/kafka/topics.toml")), SystemClock())
    await bus.start()
    await publish_terminals(bus)
    return bus


@asynccontextmanager
async def open_switch(keys: Path, **knobs: object) -> AsyncIterator[Switch]:
    """Give an edge with these settings, by default on any free port and swept often."""
    generate_demo_keys(keys)
    bus = await open_bus()
    ledger = FakeLedger(bus)
    task = asyncio.create_task(ledger.run())
    switch = Switch(Bridge(), ledger)
    settings = Settings(
        vault=VaultSettings(keys_directory=keys),
        iso_bridge=BridgeKnobs.model_validate(
            {"port": 0, "sweep_ms": 10, "registry_wait_ms": 5, "claim_ms": 0, **knobs}
        ),
    )
    try:
        async with open_bridge(
            settings,
            bus=bus,
            clock=SystemClock(),
            health=switch.health,
            metrics=switch.metrics,
            money_stream=switch.money,
        ) as bridge:
            switch.bridge = bridge
            yield switch
    finally:
        task.cancel()
        await bus.stop()
