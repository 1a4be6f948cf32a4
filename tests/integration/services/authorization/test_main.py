"""Authorization and admin put together on a real PostgreSQL and the memory bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.bus import Assigned, MemoryBus, Outgoing, load_topics, with_partitions
from libs.bus.memory_reader import MemoryReader
from libs.clock import SystemClock
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.contracts.topics import (
    AUTHORIZE_REQUESTED,
    BRIDGE_ANSWERS,
    COMMANDS,
    REQUESTS,
    dead_letters,
)
from libs.fakes.cards import A_TOKEN, a_request
from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.observe import Health
from libs.outcome import Outcome
from libs.pg import Pool, open_pool
from libs.registry import EntityStatus, write_change
from libs.settings import PostgresSettings
from libs.vault import generate_demo_keys
from services.admin import main as admin
from services.admin.settings import AdminKnobs, VaultKnobs
from services.admin.settings import Settings as AdminSettings
from services.admin.store.registry import RegistryStore
from services.authorization import main as authorization
from services.authorization.domain.card import CardStatus
from services.authorization.domain.card_rows import CardRow
from services.authorization.settings import AuthorizationKnobs, Settings
from services.authorization.store.cards import CardStore

pytestmark = pytest.mark.postgres

PATIENCE_SECONDS = 15
TOPICS = Path("deploy/kafka/topics.toml")


class DealingBus(MemoryBus):
    """A memory bus whose group may be dealt out anew, as on Kafka."""

    deal: Assigned = staticmethod(lambda _: None)

    async def open_group_reader(
        self, topic: str, *, group: str, member: str = "", assigned: Assigned | None = None
    ) -> MemoryReader:
        """Remember who wants to hear of partitions."""
        assert assigned is not None
        assert member
        self.deal = assigned
        return await super().open_group_reader(topic, group=group, member=member, assigned=assigned)


class Bench:
    """A database with one card, one terminal, one outlet, and both services on a memory bus."""

    def __init__(self, dsn: str, pool: Pool, keys: Path) -> None:
        self.clock = SystemClock()
        self.bus = DealingBus(load_topics(TOPICS), self.clock)
        self.health = Health()
        self.registry = RegistryStore(pool)
        self.cards = CardStore(pool)
        self.settings = Settings(postgres=PostgresSettings(dsn=SecretStr(dsn)))
        self._keys = keys
        self._pool = pool
        self._dsn = SecretStr(dsn)

    async def seed(self) -> None:
        """Write the card and what the registry knows."""
        card = CardRow(
            2, A_TOKEN, b"sealed", "936009******0016", 7, "standard", CardStatus.ACTIVE, "3012"
        )
        await self.cards.write_cards([card], [])
        await self.registry.record_changes(
            [
                write_change(entry, version=1, changed_ms=self.clock.now_ms())
                for entry in (an_outlet(), a_terminal(), a_product())
            ]
        )

    @asynccontextmanager
    async def serving(self, *, admin_too: bool = True) -> AsyncIterator[None]:
        """Serve until the block is left; what a service raises fails the test."""
        tasks = [asyncio.create_task(self._serve_authorization())]
        if admin_too:
            tasks.append(asyncio.create_task(self.serve_admin()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    async def serve_admin(self) -> None:
        """Publish the registry until cancelled."""
        settings = AdminSettings(
            postgres=PostgresSettings(dsn=self._dsn),
            admin=AdminKnobs(port=0),
            vault=VaultKnobs(keys_directory=self._keys),
        )
        await admin.serve(settings, bus=self.bus, clock=self.clock, health=self.health)

    async def _serve_authorization(self) -> None:
        await authorization.serve(self.settings, bus=self.bus, clock=self.clock, health=self.health)

    async def block_card(self) -> None:
        """Change the card in the table, as whoever holds its partition may."""
        await self._pool.write(
            'UPDATE "authorization".card SET status = $1 WHERE token = $2',
            CardStatus.BLOCKED.value,
            A_TOKEN,
        )

    async def until_ready(self) -> None:
        """Wait until both services say so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.health.problems():  # noqa: ASYNC110 -- health has no event
                await asyncio.sleep(0.01)

    async def ask(self, request: AuthorizeRequested | bytes) -> None:
        """Publish a request as a bridge would, or bytes as they are."""
        value = request if isinstance(request, bytes) else request.SerializeToString()
        envelope = first_envelope(
            schema=AUTHORIZE_REQUESTED,
            answer_topic=BRIDGE_ANSWERS,
            answer_partition=0,
            deadline_ms=0,
        ).SerializeToString()
        partition = request_partition(A_TOKEN, 8)
        await self.bus.publish(
            [Outgoing(REQUESTS, partition, A_TOKEN, value, envelope)], timeout_ms=1_000
        )

    def request(self) -> AuthorizeRequested:
        """Return a purchase of now."""
        return a_request(received_ms=self.clock.now_ms())

    async def command(self, request: AuthorizeRequested) -> LedgerCommand:
        """Publish a request and return the command that comes of it."""
        reader = await self.bus.open_tail_reader(COMMANDS, partition=7)
        await self.ask(request)
        taken = await reader.take(wait_ms=PATIENCE_SECONDS * 1_000, records_max=1)
        await reader.close()
        return LedgerCommand.FromString(taken[7][0].value)


@pytest.fixture
async def bench(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Bench]:
    generate_demo_keys(tmp_path)
    dsn = await make_database(
        {name: Path(f"services/{name}/migrations") for name in ("authorization", "admin")}
    )
    async with open_pool(dsn, name="tests", size=2) as pool:
        bench = Bench(dsn, pool, tmp_path)
        await bench.bus.start()
        await bench.seed()
        yield bench
        await bench.bus.stop()


async def test_forwards_a_purchase(bench: Bench) -> None:
    """A request from a known terminal becomes a debit without a verdict."""
    async with bench.serving():
        await bench.until_ready()
        command = await bench.command(a_request(received_ms=bench.clock.now_ms()))

    assert (7, 0, 1) == (command.wallet, command.verdict, len(command.purchase.lines))


async def test_takes_over_a_pause_while_it_runs(bench: Bench) -> None:
    """A terminal that an operator pauses soon buys nothing (2 s; three times that is waited)."""
    async with bench.serving():
        await bench.until_ready()
        paused = a_terminal(status=EntityStatus.PAUSED)
        await bench.registry.record_changes(
            [write_change(paused, version=2, changed_ms=bench.clock.now_ms())]
        )
        until_ms = bench.clock.monotonic_ms() + 6_000
        verdict = 0
        while not verdict and bench.clock.monotonic_ms() < until_ms:
            request = a_request(received_ms=bench.clock.now_ms())
            verdict = (await bench.command(request)).verdict

    assert Outcome.TERMINAL_REFUSED.number == verdict


async def test_forgets_cards_when_partitions_are_assigned(bench: Bench) -> None:
    """A card that was changed while its partition was elsewhere is seen when it comes back."""
    # Warming reads one card, another one: nothing but the assignment makes this one be read again.
    bench.settings = bench.settings.model_copy(
        update={"authorization": AuthorizationKnobs(cards_kept_max=2)}
    )
    other = CardRow(
        1, bytes(16), b"sealed", "936009******0024", 8, "standard", CardStatus.ACTIVE, "3012"
    )
    await bench.cards.write_cards([other], [])
    async with bench.serving():
        await bench.until_ready()
        verdicts = []
        for step in (None, bench.block_card()):
            if step is not None:
                await step
            verdicts.append((await bench.command(bench.request())).verdict)
        bench.bus.deal(frozenset())
        without = bench.health.problems()
        bench.bus.deal(frozenset(range(8)))
        verdicts.append((await bench.command(bench.request())).verdict)

    assert [0, 0, Outcome.CARD_BLOCKED.number] == verdicts
    assert ["authorization.partitions"] == list(without)
    assert {} == bench.health.problems()


async def test_answers_nobody_before_the_registry_was_read(bench: Bench) -> None:
    """What waits from before the start is forwarded once terminals are known, not refused."""
    await bench.ask(a_request(received_ms=bench.clock.now_ms()))
    reader = await bench.bus.open_reader(COMMANDS, starts={7: None})

    async with bench.serving(admin_too=False):
        assert {} == await reader.take(wait_ms=1_500, records_max=1)
        assert "is empty" in bench.health.problems()["authorization.registry"]

        publishing = asyncio.create_task(bench.serve_admin())
        taken = await reader.take(wait_ms=PATIENCE_SECONDS * 1_000, records_max=1)
        publishing.cancel()

    assert 0 == LedgerCommand.FromString(taken[7][0].value).verdict


async def test_sets_garbage_aside(bench: Bench) -> None:
    """A record that is no request becomes a dead letter; the one behind it is served."""
    dead = dead_letters(REQUESTS)
    async with bench.serving():
        await bench.until_ready()
        reader = await bench.bus.open_tail_reader(dead, partition=request_partition(A_TOKEN, 8))
        await bench.ask(b"\xff\xff")
        command = await bench.command(a_request(received_ms=bench.clock.now_ms()))

        assert await reader.take(wait_ms=PATIENCE_SECONDS * 1_000, records_max=1)
    assert 0 == command.verdict


async def test_refuses_another_number_of_partitions(bench: Bench) -> None:
    """Who counts ledger partitions otherwise would scatter a wallet over two of them."""
    bench.bus = DealingBus(with_partitions(load_topics(TOPICS), {COMMANDS: 4}), bench.clock)
    await bench.bus.start()

    with pytest.raises(authorization.PartitionsDiffer, match="PARTITIONS=4"):
        async with bench.serving():
            await asyncio.sleep(0.2)
