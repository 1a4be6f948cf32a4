"""PostgreSQL goes away at any moment, and comes back: the whole switch goes on by itself."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.clock import SystemClock
from libs.pg.server import start_server
from libs.tcp import free_port
from libs.vault import generate_demo_keys
from services.cli.composition import SERVICES, open_shared, overrides, with_watches
from services.cli.lifecycle import Shared, run_parts
from services.cli.logins import Logins, logins_of
from services.cli.seeding.fill import SeedOrder, Target, fill
from services.cli.seeding.rules import read_rules
from services.cli.settings import BridgePart, PostgresPart, Settings, VaultPart, WebPart
from services.cli.tables import bring_forward
from services.cli.tcp_ports import port_problem
from services.cli.walk import walk_purchase
from tests.conftest import own_roles_of
from tests.integration.services.cli.postgres_proxy import a_proxy

pytestmark = pytest.mark.postgres

PATIENCE_S = 40
AWAY_S = 0.3
ORDER = SeedOrder(cards=3, outlets=1, first_serial=1, own_minor=None, with_keys=False)


class Switch:
    """All services of one process on the memory bus, as ``lesko serve`` composes them."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self.ready = asyncio.Event()

    async def until(self, *, ready: bool) -> None:
        """Wait until it is ready, or is not."""
        async with asyncio.timeout(PATIENCE_S):
            while self._is_ready() is not ready:  # noqa: ASYNC110 -- health has no event
                await asyncio.sleep(0.01)

    def _is_ready(self) -> bool:
        return self.ready.is_set() and self._shared.health.is_ready

    async def buy(self) -> str:
        """Buy something over TCP; return the response code."""
        bridge = self._settings.iso_bridge
        walk = await walk_purchase(
            self._settings, read_rules(), SystemClock(), host=bridge.host, port=bridge.port
        )
        return str(walk.exchange.answer.fields[39])


@asynccontextmanager
async def a_switch(home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Switch]:
    """Serve until the block is left; whatever ends a service fails the test."""
    port = free_port()
    monkeypatch.setenv("LESKO_ISO_BRIDGE__PORT", str(port))
    settings = Settings(
        home=home,
        postgres=PostgresPart(dsn=SecretStr(dsn), role_prefix=prefix_of(dsn)),
        kafka=None,
        vault=VaultPart(keys_directory=home / "keys"),
        iso_bridge=BridgePart(port=port),
        web=WebPart(port=0),
    )
    logins = logins_of(settings, SecretStr(dsn))
    stop = asyncio.Event()
    async with open_shared(settings, SERVICES, logs=io.StringIO()) as (shared, _):
        switch = Switch(settings, shared)
        await shared.bus.start()

        async def while_ready() -> None:
            switch.ready.set()

        serving = asyncio.create_task(
            run_parts(
                with_watches(SERVICES, settings, logins),
                shared,
                overrides(settings, logins),
                stop=stop,
                while_ready=while_ready,
                ready_ms_max=0,
                one_by_one=True,
            )
        )
        try:
            yield switch
        finally:
            stop.set()
            await asyncio.wait_for(serving, PATIENCE_S)
    assert port_problem("127.0.0.1", port) is None


def prefix_of(dsn: str) -> str:
    """Return what the services' roles begin with: others of the server are another test's."""
    return own_roles_of(dsn)["LESKO_POSTGRES__ROLE_PREFIX"]


async def seed(dsn: str, home: Path) -> None:
    """Make roles, tables, keys, cards and terminals."""
    generate_demo_keys(home / "keys")
    logins = Logins(SecretStr(dsn), {}, home / "keys" / "database", prefix_of(dsn))
    await bring_forward(logins)
    target = Target(logins=logins, keys_directory=home / "keys", clock=SystemClock())
    await fill(read_rules(), ORDER, target, lambda *_: None)


async def test_stops_and_starts(
    open_directory: Callable[[], AbstractContextManager[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is down when services begin, and again when they serve."""
    with open_directory() as home:
        root = home / "postgres"
        async with start_server(root, shared_buffers_mb=32) as server:
            dsn = server.dsn
            await seed(dsn, home)
        async with a_switch(home, dsn, monkeypatch) as switch:
            await asyncio.sleep(AWAY_S)
            async with start_server(root, shared_buffers_mb=32) as server:
                assert dsn == server.dsn
                await switch.until(ready=True)
                first = await switch.buy()
            await switch.until(ready=False)
            await asyncio.sleep(AWAY_S)
            async with start_server(root, shared_buffers_mb=32):
                await switch.until(ready=True)
                second = await switch.buy()

    assert ("00", "00") == (first, second)


@pytest.mark.parametrize("messages_max", [19, 26, 36])
async def test_goes_away_in_the_middle_of_a_start(
    messages_max: int,
    make_database: Callable[..., Awaitable[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a service was just asking: it asks again, and sells in the end."""
    dsn = await make_database()
    await seed(dsn, tmp_path)
    async with a_proxy(dsn) as proxy:
        proxy.messages_max = messages_max
        async with a_switch(tmp_path, proxy.dsn, monkeypatch) as switch:
            await asyncio.wait_for(proxy.was_cut.wait(), PATIENCE_S)
            was_ready = switch.ready.is_set()
            await asyncio.sleep(AWAY_S)
            await proxy.open()
            await switch.until(ready=True)
            code = await switch.buy()

    assert (False, "00") == (was_ready, code)
