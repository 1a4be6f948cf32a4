"""A change that an operator made is in force at every reader in less than two seconds."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex

import pytest
from pydantic import SecretStr

from libs.bus import Bus, MemoryBus, TopicSettings
from libs.bus.kafka.admin import apply_topics
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.clock import SystemClock
from libs.contracts.topics import REGISTRY
from libs.outcome import Fault
from libs.pg import Pool, open_pool
from libs.registry import EntityStatus, RegistryFollower, RegistryView
from services.admin.handlers.catch_up_registry import CatchUpRegistry
from services.admin.handlers.publish_registry import PublishRegistry
from services.admin.settings import AdminKnobs
from services.admin.store.registry import RegistryStore
from services.admin.store.relay import PostgresRelay
from services.admin.store.work import PostgresTransactions
from tests.integration.services.admin.registry_bench import Bench

pytestmark = pytest.mark.postgres

IN_FORCE_S = 2
PATIENCE_S = 30
TOPIC = {REGISTRY: TopicSettings(partitions=1, compacted=True)}
CHANGES = 4
KEPT, LOST = "BUMAKEPT0000001", "BUMALOST0000001"


@pytest.fixture
async def dsn(make_database: Callable[..., Awaitable[str]]) -> str:
    return await make_database({"admin": Path("services/admin/migrations")})


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(dsn, name="tests", size=4) as opened:
        yield opened


@asynccontextmanager
async def relayed(dsn: str, pool: Pool, bus: Bus) -> AsyncIterator[None]:
    """Let the relay run as admin runs it, by its own knobs."""
    knobs = AdminKnobs()
    relay = PostgresRelay(SecretStr(dsn))
    publish = PublishRegistry(
        RegistryStore(pool),
        relay,
        bus,
        SystemClock(),
        CatchUpRegistry(PostgresTransactions(pool, SystemClock()), bus),
        rows_max=knobs.rows_max,
        send_timeout_ms=knobs.send_timeout_ms,
        again_every_ms=knobs.publish_again_every_ms,
    )

    async def keep() -> None:
        while True:
            with suppress(Fault):
                await publish()
            await asyncio.sleep(knobs.relay_every_ms / 1_000)

    async with running(keep()):
        yield
    await relay.close()


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    """Let something run meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def seconds_until(is_true: Callable[[], bool]) -> float:
    """Wait until something is so; return how long that took."""
    begun = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 -- the view has no event, by design
            await asyncio.sleep(0.005)
    return time.monotonic() - begun


async def until_known(pool: Pool, entity: str) -> None:
    """Wait until the table has an entity."""
    async with asyncio.timeout(PATIENCE_S):
        while not await pool.read("SELECT FROM admin.registry WHERE entity = $1", entity):  # noqa: ASYNC110 -- a table has no event
            await asyncio.sleep(0.01)


async def slowest_change(dsn: str, pool: Pool, bus: Bus) -> float:
    """Return how long the slowest change of an outlet was on its way to a real reader."""
    bench = Bench(pool)
    await bench.hire()
    # The topic of a broker that others use too holds what they published under their codes.
    code = f"BUMA{token_hex(5).upper()}0"
    view = RegistryView()
    follower = RegistryFollower(
        bus=bus, view=view, clock=SystemClock(), report=lambda problem: None
    )
    path = f"/v1/outlets/{code}"
    slowest = 0.0
    async with relayed(dsn, pool, bus), running(follower.run()):
        await bench.do("operator", "POST", "/v1/outlets", code=code, name="Kios")
        await seconds_until(lambda: view.outlet(code) is not None)
        for turn in range(CHANGES):
            verb = "resume" if turn % 2 else "pause"
            wanted = EntityStatus.ACTIVE if turn % 2 else EntityStatus.PAUSED
            await bench.do("operator", "POST", f"{path}/{verb}", reason="a test")
            took = await seconds_until(lambda: getattr(view.outlet(code), "status", None) is wanted)  # noqa: B023 -- awaited in this very turn
            slowest = max(slowest, took)
    return slowest


async def test_is_in_force_within_two_seconds_on_the_memory_bus(dsn: str, pool: Pool) -> None:
    """From the answer to the operator to the view of a follower, four times."""
    bus = MemoryBus(TOPIC, SystemClock())
    await bus.start()

    slowest = await slowest_change(dsn, pool, bus)

    await bus.stop()
    assert slowest < IN_FORCE_S


async def test_is_in_force_within_two_seconds_on_kafka(
    dsn: str, pool: Pool, kafka_broker: str
) -> None:
    """The same over a real broker."""
    settings = KafkaSettings(bootstrap=kafka_broker)
    await apply_topics(settings, TOPIC)
    bus = KafkaBus(settings, SystemClock(), client="tests")
    await bus.start()

    slowest = await slowest_change(dsn, pool, bus)

    await bus.stop()
    assert slowest < IN_FORCE_S


async def test_is_heard_after_the_table_was_restored(dsn: str, pool: Pool) -> None:
    """Readers have newer versions than a restored table: it takes them over, then is heard."""
    bus, bench = MemoryBus(TOPIC, SystemClock()), Bench(pool)
    await bus.start()
    await bench.hire()
    view = RegistryView()
    follower = RegistryFollower(
        bus=bus, view=view, clock=SystemClock(), report=lambda problem: None
    )
    async with running(follower.run()):
        async with relayed(dsn, pool, bus):
            await bench.do("operator", "POST", "/v1/outlets", code=KEPT, name="Kios")
            await seconds_until(lambda: view.outlet(KEPT) is not None)
            async with pool.connection() as session:
                await session.execute("CREATE TABLE backup AS TABLE admin.registry")
            await bench.do("operator", "POST", f"/v1/outlets/{KEPT}/pause", reason="a test")
            await bench.do("operator", "POST", "/v1/outlets", code=LOST, name="Kios")
            await seconds_until(lambda: view.outlet(LOST) is not None)
        async with pool.transaction() as session:
            await session.execute("DELETE FROM admin.registry")
            await session.execute("INSERT INTO admin.registry OVERRIDING SYSTEM VALUE TABLE backup")
        async with relayed(dsn, pool, bus):
            await until_known(pool, f"outlet/{LOST}")
            await bench.do("operator", "POST", f"/v1/outlets/{KEPT}/resume", reason="a test")
            await bench.do("operator", "POST", f"/v1/outlets/{LOST}/close", reason="a test")
            await seconds_until(
                lambda: getattr(view.outlet(LOST), "status", None) is EntityStatus.CLOSED
            )
    kept = view.outlet(KEPT)
    await bus.stop()
    assert kept is not None
    assert EntityStatus.ACTIVE is kept.status
