"""Processes of the switch: real handlers and loops, put together as their main.py does."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from contextvars import Context, copy_context
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from libs.bus import (
    BusUnavailable,
    Inbox,
    LoopSettings,
    dead_letters,
    run_batches,
)
from libs.bus.port import Reader
from libs.contracts.topics import BRIDGE_ANSWERS, COMMANDS, REQUESTS
from libs.iso8583 import Frame, load_dialect
from libs.observe import Metrics
from libs.outcome import Fault
from libs.registry import RegistryFollower, RegistryView
from libs.vault import TokenKey
from services.admin.handlers.await_answers import AwaitAnswers
from services.admin.handlers.publish_registry import PublishRegistry
from services.admin.handlers.send_commands import SendCommands
from services.admin.handlers.settle_commands import SettleCommands
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.day import BusinessDays
from services.authorization.handlers import set_aside as aside
from services.authorization.handlers.authorize_requests import AuthorizeRequests
from services.authorization.handlers.command_cards import CommandCards
from services.authorization.handlers.serve_requests import ServeRequests
from services.card_ledger.adapters.answer_publisher import AnswerPublisher
from services.card_ledger.adapters.figures import MetricsFigures
from services.card_ledger.handlers.begin_tenure import BeginTenure
from services.card_ledger.handlers.keep_tenure import keep_leases, keep_reach
from services.card_ledger.handlers.post_transfers import PostTransfers, TenureEnded
from services.card_ledger.handlers.set_aside import SetAside
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.handlers.watch_forks import ForkWatch
from services.card_ledger.ports import LeaseLost
from services.iso_bridge.adapters.answer_reader import read_answers
from services.iso_bridge.adapters.request_pump import RequestPump
from services.iso_bridge.domain.message_rate import MessageRate
from services.iso_bridge.handlers.answer_requests import AnswerRequests
from services.iso_bridge.handlers.build_answers import AnswerBuilder
from services.iso_bridge.handlers.build_requests import RequestBuilder
from services.iso_bridge.handlers.pending import Pending
from services.iso_bridge.handlers.receive_messages import ReceiveMessages
from services.iso_bridge.handlers.reception import Reception
from services.iso_bridge.handlers.waiting import Waiting
from services.iso_bridge.ports import Caller
from tests.simulation.broker import Broker, SimulatedBus
from tests.simulation.database import Database, SimulatedBooks, SimulatedCards, SimulatedLeases
from tests.simulation.desk import CardDesk, Outbox
from tests.simulation.faults import Faults
from tests.simulation.journal import Journal
from tests.simulation.loop import LIFE, Life, SeededLoop, VirtualClock
from tests.simulation.registry import RegistryTable

ZONE: Final = ZoneInfo("Asia/Jayapura")
PARTITIONS: Final = 4
LEASE_MS: Final = 4_000
ANSWER_MS: Final = 8_000
SEND_MS: Final = 5_000
SWEEP_MS: Final = 1_000
LOOK_MS: Final = 1_000
RESEND_MS: Final = 6_000
RESTART_S: Final = 1.0
TOKENS: Final = TokenKey(b"k" * 32)
DIALECT: Final = load_dialect(Path(__file__).resolve().parents[2] / "proto" / "iso8583" / "edc")


def _no_report(*_: object) -> None:
    """Nobody looks at health here."""


class Surroundings:
    """What all processes find: the loop, the broker, the database, the registry's table."""

    def __init__(
        self,
        loop: SeededLoop,
        clock: VirtualClock,
        broker: Broker,
        database: Database,
        registry: RegistryTable,
        cards: SimulatedCards,
        outbox: Outbox,
        faults: Faults,
    ) -> None:
        self.loop = loop
        self.clock = clock
        self.broker = broker
        self.database = database
        self.registry = registry
        self.cards = cards
        self.outbox = outbox
        self.desk = CardDesk(database, cards)
        self.faults = faults
        self.broken: list[BaseException] = []
        self.step_clock: Callable[[int], None] = _no_report


Body = Callable[["Process"], Coroutine[Any, Any, None]]


class Process:
    """A process that is started, killed, paused; a part that ends with trouble begins again."""

    def __init__(self, around: Surroundings, name: str, body: Body) -> None:
        self.around = around
        self.name = name
        self._body = body
        self._kept: list[
            asyncio.Task[None]
        ] = []  # A killed task must not be collected before all is over.
        self.life = Life(name)
        self.life.is_dead = True
        self.context: Context = copy_context()
        self.door: Callable[[Caller, Frame], bytes | None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it lives and is not paused."""
        return not self.life.is_dead and not self.life.is_paused

    def start(self) -> None:
        """Begin a new life."""
        self.life = Life(self.name)
        self.context = copy_context()
        self.context.run(LIFE.set, self.life)
        self._kept.append(self.around.loop.create_task(self._live(), context=self.context))

    def kill(self) -> None:
        """End it as SIGKILL does."""
        self.life.is_dead = True
        self.door = None

    def pause(self) -> None:
        """Stop it as SIGSTOP does."""
        self.life.is_paused = True

    def resume(self) -> None:
        """Wake it, late as it is."""
        if not self.life.is_dead:
            self.around.loop.resume(self.life)

    def bus(self) -> SimulatedBus:
        """Return the bus of this life."""
        return SimulatedBus(self.around.broker)

    async def _live(self) -> None:
        while True:
            try:
                await self._body(self)
            except* Fault:
                pass  # As `lesko serve`: a part begins again after trouble that passes.
            except* Exception as broken:  # noqa: BLE001 -- told at the end of the seed
                self.around.broken.append(broken)
            self.door = None
            await asyncio.sleep(RESTART_S)


async def _nothing_lost() -> int:
    """No table is restored here."""
    return 0


async def admin(process: Process) -> None:
    """Publish the registry and what changes of it, send commands, hear what became of them."""
    around, bus = process.around, process.bus()
    publish = PublishRegistry(
        around.registry, around.registry, bus, around.clock, _nothing_lost,
        rows_max=100, send_timeout_ms=SEND_MS, again_every_ms=30_000,
    )  # fmt: skip
    send = SendCommands(
        around.outbox, around.registry, bus, around.clock,
        instance=0, resend_every_ms=RESEND_MS, in_flight_max=20, send_timeout_ms=SEND_MS,
    )  # fmt: skip
    settle = SettleCommands(around.outbox, AwaitAnswers(), lambda _: send.nudge())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_publish(publish))
        tasks.create_task(send.run(_no_report, look_every_ms=LOOK_MS))
        tasks.create_task(settle.run(bus, instance=0, report=_no_report))


async def _publish(publish: PublishRegistry) -> None:
    while True:
        await publish()
        await asyncio.sleep(LOOK_MS / 1_000)


async def authorization(process: Process) -> None:
    """Read the registry, then hand on requests and carry out commands about cards."""
    around, bus = process.around, process.bus()
    view = RegistryView()
    follower = RegistryFollower(
        bus=bus, view=view, clock=around.clock, report=_no_report, wait_ms=LOOK_MS
    )
    cache = CardCache(1_000)
    authorize = AuthorizeRequests(
        cards=around.cards,
        cache=cache,
        registry=view,
        clock=around.clock,
        days=BusinessDays(ZONE),
        ledger_partitions=PARTITIONS,
    )
    command = CommandCards(
        around.desk,
        cache,
        around.clock,
        request_partitions=PARTITIONS,
        ledger_partitions=PARTITIONS,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        await follower.filled()
        reader = await bus.open_group_reader(
            REQUESTS,
            group="authorization",
            assigned=lambda _: authorize.forget_cards(range(PARTITIONS)),
        )
        await run_batches(
            reader, bus, ServeRequests(authorize, command),
            poison=aside.SetAside(dead_letters(around.clock)), report=_no_report,
            settings=LoopSettings(send_timeout_ms=SEND_MS),
        )  # fmt: skip


async def card_ledger(process: Process) -> None:
    """Wait for leases, then serve; again once they are lost."""
    around, bus = process.around, process.bus()
    books = SimulatedBooks(around.database, lease_ms=LEASE_MS)
    leases = SimulatedLeases(around.database, partitions=PARTITIONS, lease_ms=LEASE_MS)
    begin = BeginTenure(
        leases, books, bus, around.clock, ZONE,
        holder=f"{process.name}, {id(process.life)}", lease_ms=LEASE_MS, report=_no_report,
    )  # fmt: skip
    forks = ForkWatch(_no_report)
    while True:
        try:
            tenure = await begin(PARTITIONS)
            await _serve_tenure(process, bus, books, leases, tenure, begin, forks)
        except* (TenureEnded, LeaseLost, BusUnavailable) as ended:
            await asyncio.sleep(forks.ended(ended.exceptions) / 1_000)
        except* Fault as faults:
            begin.follower.go_on(faults)


async def _serve_tenure(
    process: Process,
    bus: SimulatedBus,
    books: SimulatedBooks,
    leases: SimulatedLeases,
    tenure: Tenure,
    begin: BeginTenure,
    forks: ForkWatch,
) -> None:
    clock = process.around.clock
    post = PostTransfers(books, tenure, clock, ZONE, MetricsFigures(Metrics()))

    def settled(through: Mapping[int, int]) -> None:
        tenure.acknowledged.update(through)
        forks.settled(through)
        begin.follower.reached(through)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(_give_back, leases, tenure)
        reader: Reader = await bus.open_reader(COMMANDS, starts=tenure.starts())
        async with asyncio.TaskGroup() as tasks:
            often_ms = LEASE_MS // 4
            tasks.create_task(keep_leases(leases, tenure, every_ms=often_ms, report=_no_report))
            tasks.create_task(
                keep_reach(bus, clock, COMMANDS, every_ms=often_ms, patience_ms=2 * LEASE_MS)
            )
            tasks.create_task(
                run_batches(
                    reader, AnswerPublisher(bus), post,
                    poison=SetAside(post.refuse_poison, dead_letters(clock)),
                    report=_no_report,
                    settings=LoopSettings(send_timeout_ms=SEND_MS),
                    acknowledged=settled,
                )
            )  # fmt: skip


async def _give_back(leases: SimulatedLeases, tenure: Tenure) -> None:
    try:
        await leases.give_back(tenure.epochs)
    except Fault:
        return


async def iso_bridge(process: Process, *, partition: int) -> None:
    """Let terminals in once the registry was read."""
    around, bus = process.around, process.bus()
    view = RegistryView()
    follower = RegistryFollower(
        bus=bus, view=view, clock=around.clock, report=_no_report, wait_ms=LOOK_MS
    )
    reader = await bus.open_tail_reader(BRIDGE_ANSWERS, partition=partition)
    inbox: Inbox[Waiting] = Inbox(reader, around.clock)
    pump = RequestPump(bus, timeout_ms=SEND_MS, gather_ms=2, report=_no_report)
    pending = Pending(inbox, pump, in_flight_max=1_000)
    builder, journal = AnswerBuilder(), Journal()
    answer = AnswerRequests(pending=pending, answers=builder, clock=around.clock, journal=journal)
    receive = ReceiveMessages(
        pending=pending,
        requests=RequestBuilder(answer_partition=partition, request_partitions=PARTITIONS),
        answers=builder,
        tokens=TOKENS,
        terminals=view,
        clock=around.clock,
        journal=journal,
    )
    reception = Reception(
        name="edc",
        dialect=DIALECT,
        zone=ZONE,
        answer_ms=ANSWER_MS,
        sign_on_required=False,
        rate=MessageRate(per_second=500, burst=1_000),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        await follower.filled()
        tasks.create_task(pump.run())
        tasks.create_task(read_answers(inbox, answer, _no_report))
        tasks.create_task(_sweep(answer, inbox))
        process.door = partial(_enter, receive, reception)


def _enter(
    receive: ReceiveMessages, reception: Reception, caller: Caller, frame: Frame
) -> bytes | None:
    return receive(caller, reception, frame)


async def _sweep(answer: AnswerRequests, inbox: Inbox[Waiting]) -> None:
    while True:
        await asyncio.sleep(SWEEP_MS / 1_000)
        answer.sweep()
        inbox.sweep()
