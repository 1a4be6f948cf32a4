"""One seed: a world is drawn, lives through its faults, heals, and is looked at."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any, Final

from libs.bus import TopicSettings
from libs.bus.port import Outgoing
from libs.contracts.accounts import purse_account
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, Resend
from libs.contracts.topics import (
    ADMIN_ANSWERS,
    BRIDGE_ANSWERS,
    COMMANDS,
    ENTRIES,
    LEDGER_COMMAND,
    REGISTRY,
    REQUESTS,
    dead_letters,
)
from libs.fakes.cards import a_card
from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.iso8583 import Pan
from libs.registry import EntityStatus
from loadtests.frames import pan_of
from services.authorization.domain.card import Card
from services.card_ledger.domain.book import Account, Terms
from tests.simulation import checks, operators, processes
from tests.simulation.broker import Broker
from tests.simulation.database import Database, SimulatedCards
from tests.simulation.desk import Action, Outbox
from tests.simulation.faults import Faults, Kind
from tests.simulation.loop import SeededLoop, VirtualClock
from tests.simulation.operators import Operators
from tests.simulation.processes import PARTITIONS, TOKENS, Process, Surroundings
from tests.simulation.registry import RegistryTable
from tests.simulation.terminals import Network, Terminal

TERMINALS: Final = 6
PURCHASES: Final = 10
CARDS: Final = 4
WALLETS: Final = {pan_of(serial): serial for serial in range(1, CARDS + 1)}
BALANCE_MINOR: Final = 400_00
DAY_COUNT: Final = 8
NOON_MS: Final = 1_795_489_200_000  # 2026-11-24 12:00 in Jayapura.
MOMENTS: Final = (
    NOON_MS,
    NOON_MS + 43_200_000 - 40_000,  # 40 s before midnight.
    NOON_MS + 7 * 86_400_000 - 43_200_000 - 30_000,  # Before the first of December.
    NOON_MS + 38 * 86_400_000 - 43_200_000 - 30_000,  # Before New Year.
)
_FOR_LEDGER: Final = TopicSettings(partitions=PARTITIONS)
TOPICS: Final = {
    REQUESTS: _FOR_LEDGER,
    dead_letters(REQUESTS): _FOR_LEDGER,
    COMMANDS: _FOR_LEDGER,
    dead_letters(COMMANDS): _FOR_LEDGER,
    ENTRIES: _FOR_LEDGER,
    BRIDGE_ANSWERS: TopicSettings(partitions=2),
    ADMIN_ANSWERS: TopicSettings(partitions=1),
    REGISTRY: TopicSettings(partitions=1),
}
QUIET_S: Final = 600.0
STEPS_MAX: Final = 400_000
"""Ten times what a busy seed takes."""
LATEST_S: Final = 20.0
"""Longer than anything is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a seed."""

    seed: int
    problems: list[str]
    faults: Mapping[Kind, int]
    heard: Mapping[str, int]
    steps: int
    virtual_s: float
    trace: str  # The same for the same seed, whatever PYTHONHASHSEED is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a seed; shrinking asks for less."""

    seed: int
    without: frozenset[Kind] = frozenset()
    terminals: int = TERMINALS
    purchases: int = PURCHASES


@dataclass(slots=True)
class World:
    """Everything of one seed."""

    order: Order
    around: Surroundings
    watcher: checks.Watcher
    operators: Operators
    today: date
    bridges: list[Process] = field(default_factory=list)
    services: dict[str, Process] = field(default_factory=dict)
    terminals: list[Terminal] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def all_processes(self) -> list[Process]:
        """All of them, in one order."""
        return [*self.services.values(), *self.bridges]


def simulate(order: Order) -> Report:
    """Live through a seed; nothing real is waited for."""
    random = Random(order.seed)
    loop = SeededLoop(random)
    with _silent_deaths():
        try:
            asyncio.set_event_loop(loop)
            return loop.run_until_complete(_live(order, random, loop))
        finally:
            _bury(loop)
            asyncio.set_event_loop(None)
            loop.close()


def _bury(loop: SeededLoop) -> None:
    """Close what was left in the middle of something, so that its collection says nothing."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # -- it was killed, not lost
        with suppress(RuntimeError, BaseExceptionGroup):  # It waits in a finally or except block.
            task.get_coro().close()


@contextmanager
def _silent_deaths() -> Iterator[None]:
    """Say nothing of coroutines that are closed inside killed ones: they are not of the world."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


async def _live(order: Order, random: Random, loop: SeededLoop) -> Report:
    world = _make(order, random, loop)
    for process in world.all_processes:
        process.start()
    for terminal in world.terminals:
        terminal.start(order.purchases)
    nemesis = loop.create_task(_hurt(world))
    await _until(world, _all_bought, QUIET_S)
    nemesis.cancel()
    _heal(world)
    await _until(world, _all_done, QUIET_S)
    if loop.steps >= STEPS_MAX:
        return _report(world, ["it never comes to rest: somebody tries again without a pause"])
    await asyncio.sleep(LATEST_S)
    await _ask_for_entries(world)
    rows = len(world.around.database.books.rows)
    problems = [*_handed_on(world)]
    await _replay(world)
    problems += _look(world)
    if rows != len(world.around.database.books.rows):
        problems.append("reading everything again from the start changed the books")
    return _report(world, problems)


def _make(order: Order, random: Random, loop: SeededLoop) -> World:
    faults = Faults.drawn(random, loop, without=order.without)
    began_ms = random.choice(MOMENTS)
    steps = [0]
    clock = VirtualClock(loop, began_ms=began_ms, skew=lambda: steps[0])
    world_clock = VirtualClock(loop, began_ms=began_ms)
    accounts = {
        purse_account(wallet): Account(BALANCE_MINOR, 0, Terms(0, None, None, 0))
        for wallet in range(1, CARDS + 1)
    }
    database = Database(accounts, world_clock, faults)
    broker = Broker(TOPICS, world_clock, faults)
    around = Surroundings(
        loop, clock, broker, database, _registry(order), _cards(database), Outbox(database), faults
    )
    today = datetime.fromtimestamp(began_ms / 1_000, UTC).astimezone(processes.ZONE).date()
    world = World(order, around, checks.Watcher(database, today), Operators(around), today)
    around.step_clock = partial(steps.__setitem__, 0)
    world.services = {
        "admin": Process(around, "admin", processes.admin),
        "authorization": Process(around, "authorization", processes.authorization),
        "card_ledger": Process(around, "card_ledger", processes.card_ledger),
    }
    if Kind.TWO_OWNERS in faults.kinds:
        second = Process(around, "card_ledger-2", processes.card_ledger)
        world.services["card_ledger-2"] = second
        faults.met[Kind.TWO_OWNERS] += 1
    world.bridges = [
        Process(around, f"iso_bridge-{n}", partial(processes.iso_bridge, partition=n))
        for n in range(2)
    ]
    network = Network(around, world.bridges, world.watcher)
    world.late = network.late
    cards = [pan_of(serial) for serial in range(1, CARDS + 1)]
    world.terminals = [
        Terminal(around, network, number, cards) for number in range(1, order.terminals + 1)
    ]
    return world


def _registry(order: Order) -> RegistryTable:
    table = RegistryTable()
    table.put(a_product(day_count=DAY_COUNT))
    for number in range(1, order.terminals + 1):
        table.put(an_outlet(number), a_terminal(number))
    return table


def _cards(database: Database) -> SimulatedCards:
    cards: dict[bytes, Card] = {
        TOKENS.token(Pan(pan_of(serial))): a_card(wallet=serial) for serial in range(1, CARDS + 1)
    }
    return SimulatedCards(database, cards)


async def _hurt(world: World) -> None:
    """Do the larger faults, one after the other, and heal each."""
    faults = world.around.faults
    blows: dict[Kind, Callable[[World], Any]] = {
        Kind.BUS_AWAY: _bus_away,
        Kind.TAIL_LOST: _lose_tail,
        Kind.NEW_BROKER: _new_broker,
        Kind.STORE_AWAY: _store_away,
        Kind.KILL: _kill,
        Kind.PAUSE: _pause,
        Kind.CLOCK_STEP: _step_clock,
        Kind.OPERATOR: _operate,
        Kind.REGISTRY_STALLED: _stall_registry,
        Kind.POISON: _poison,
    }
    mine = [kind for kind in blows if kind in faults.kinds]
    while mine:
        await asyncio.sleep(faults.between(0.5, 12))
        kind = faults.random.choice(mine)
        faults.met[kind] += 1
        await blows[kind](world)


async def _bus_away(world: World) -> None:
    faults = world.around.faults
    faults.bus_is_away = True
    await asyncio.sleep(faults.between(0.1, 20))
    faults.bus_is_away = False


async def _store_away(world: World) -> None:
    faults = world.around.faults
    faults.store_is_away = True
    await asyncio.sleep(faults.between(0.1, 15))
    faults.store_is_away = False


async def _lose_tail(world: World) -> None:
    faults = world.around.faults
    topic = faults.random.choice((REQUESTS, COMMANDS, BRIDGE_ANSWERS, ENTRIES))
    world.around.broker.lose_tail(topic, faults.between(0.05, 0.6))


async def _new_broker(world: World) -> None:
    world.around.broker.begin_again()


async def _kill(world: World) -> None:
    faults = world.around.faults
    count = faults.random.choice((1, 1, 1, 2, len(world.all_processes)))
    struck = faults.random.sample(world.all_processes, count)
    for process in struck:
        process.kill()
    await asyncio.sleep(faults.between(0, 8))
    for process in struck:
        process.start()


async def _pause(world: World) -> None:
    faults = world.around.faults
    process = faults.random.choice(world.all_processes)
    if process.is_up:
        process.pause()
        await asyncio.sleep(faults.between(0.5, 20))
        process.resume()


async def _poison(world: World) -> None:
    """Put something on a topic that nobody can read."""
    broker, random = world.around.broker, world.around.faults.random
    topic, partition = random.choice((REQUESTS, COMMANDS)), random.randrange(PARTITIONS)
    broker.append([Outgoing(topic, partition, b"", b"\xff\xff", b"")])


async def _step_clock(world: World) -> None:
    faults = world.around.faults
    world.around.step_clock(faults.random.choice((-600_000, 600_000, -3_000, 3_000)))
    await asyncio.sleep(faults.between(1, 15))
    world.around.step_clock(0)


async def _operate(world: World) -> None:
    """Adjust a wallet, block a card for a while, or pause a terminal for a while."""
    faults, people = world.around.faults, world.operators
    wallet = faults.random.randint(1, CARDS)
    match faults.random.randrange(3):
        case 0:
            amount_minor = faults.random.choice((50_00, 300_00))
            people.adjust(wallet, amount_minor, is_credit=faults.random.random() < 0.5)
        case 1:
            people.change_card(wallet, Action.BLOCK)
            await asyncio.sleep(faults.between(0, 20))
            people.change_card(wallet, Action.UNBLOCK)
        case _:
            await _pause_terminal(world)


async def _pause_terminal(world: World) -> None:
    faults, registry = world.around.faults, world.around.registry
    number = faults.random.randint(1, world.order.terminals)
    registry.put(a_terminal(number, status=EntityStatus.PAUSED))
    await asyncio.sleep(faults.between(1, 15))
    registry.put(a_terminal(number))


async def _stall_registry(world: World) -> None:
    """Let admin stand still: nobody else may care."""
    world.services["admin"].pause()
    await asyncio.sleep(world.around.faults.between(5, 20))
    world.services["admin"].resume()


def _heal(world: World) -> None:
    world.around.faults.stop()
    world.around.step_clock(0)
    for process in world.all_processes:
        if process.life.is_paused:
            process.resume()
        elif process.life.is_dead:
            process.start()


async def _until(world: World, is_over: Callable[[World], bool], seconds: float) -> None:
    end = world.around.loop.time() + seconds
    loop = world.around.loop
    while not is_over(world) and loop.time() < end and loop.steps < STEPS_MAX:  # noqa: ASYNC110 -- virtual
        await asyncio.sleep(1)


def _all_bought(world: World) -> bool:
    return all(len(terminal.journal) >= world.order.purchases for terminal in world.terminals)


def _all_done(world: World) -> bool:
    asked = world.operators.asked
    is_told = all(one.closed_s is not None for one in asked)
    return is_told and all(terminal.is_done for terminal in world.terminals)


async def _ask_for_entries(world: World) -> None:
    """Do what readers of entries do at a gap, until there is none."""
    broker, database = world.around.broker, world.around.database
    for _ in range(60):
        missing = checks.missing_entries(broker, database)
        if not missing:
            return
        for number, (first, last) in missing.items():
            command = LedgerCommand(
                wallet=number, resend=Resend(first_batch_no=first, last_batch_no=last)
            )
            _command(broker, number, command)
        await asyncio.sleep(2)


def _command(broker: Broker, partition: int, command: LedgerCommand) -> None:
    envelope = first_envelope(
        schema=LEDGER_COMMAND, answer_topic="", answer_partition=0, deadline_ms=0
    )
    value = command.SerializeToString()
    broker.append([Outgoing(COMMANDS, partition, b"", value, envelope.SerializeToString())])


async def _replay(world: World) -> None:
    """Read every command again from the start: nothing may change."""
    for name, process in world.services.items():
        if name.startswith("card_ledger"):
            process.kill()
    for owner in world.around.database.owners.values():
        owner.source_offset, owner.until_ms = -1, 0
    process = world.services["card_ledger"]
    process.start()
    await asyncio.sleep(20)


def _handed_on(world: World) -> Iterator[str]:
    if not {Kind.TAIL_LOST, Kind.NEW_BROKER} & world.around.faults.met.keys():
        operators_own = {one.id for one in world.operators.asked}
        yield from checks.handed_on(world.around.broker, operators_own)


def _look(world: World) -> Iterator[str]:
    operations = [one for terminal in world.terminals for one in terminal.journal]
    database = world.around.database
    yield from world.watcher.problems
    yield from world.late
    asked, rows = world.operators.asked, database.books.rows
    others = {one.key for one in asked}
    yield from checks.beliefs(operations, database, world.today, others)
    yield from operators.unanswered(asked)
    yield from operators.adjustments(asked, rows)
    yield from operators.card_states(asked, world.around.cards)
    yield from operators.blocked_buyers(asked, operations, WALLETS)
    yield from checks.balances(database)
    yield from checks.batches(database)
    yield from checks.days(database)
    yield from checks.entries(world.around.broker, database)
    yield from checks.limits(database, day_count=DAY_COUNT)
    yield from (f"broke: {error!r}" for error in world.around.broken)
    yield from (f"broke: {error!r}" for error in world.around.loop.broken)


def _report(world: World, problems: list[str]) -> Report:
    loop = world.around.loop
    digest = sha256()
    for row in world.around.database.books.rows:
        digest.update(repr(row).encode())
    digest.update(repr(sorted(world.watcher.heard.items())).encode())
    digest.update(f"{loop.steps} {loop.time():.6f}".encode())
    return Report(
        seed=world.order.seed,
        problems=problems,
        faults=dict(world.around.faults.met),
        heard=dict(world.watcher.heard),
        steps=loop.steps,
        virtual_s=loop.time(),
        trace=digest.hexdigest(),
    )
