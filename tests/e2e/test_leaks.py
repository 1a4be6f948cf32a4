"""No card number, track or PIN block leaves the edge: 1,000 messages, then every place searched."""

import asyncio
import io
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import structlog
from prometheus_client import generate_latest
from pydantic import SecretStr

from libs.bus import Bus, Outgoing
from libs.clock import SystemClock, business_day
from libs.observe import configure_logs
from libs.tcp import free_port
from loadtests.chaos_launcher import WrappedBus
from loadtests.embedded_switch import Installation
from loadtests.frames import encode_frame, pan_of
from services.cli.composition import SERVICES, open_shared, overrides
from services.cli.lifecycle import run_parts
from services.cli.logins import logins_of
from services.cli.settings import Settings
from tests.e2e.canaries import Leak, search, search_hashes, unkeyed_hashes

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

SERIALS = (1, 2, 10, 96, 97, 98, 99, 9_000_001, 9_000_002)
NUMBERS = tuple(pan_of(serial) for serial in SERIALS)
TRACKS = tuple(f"{number}D30121010000012345" for number in NUMBERS)
PIN_BLOCK = bytes.fromhex("04a1b2c3d4e5f697")
MESSAGES = 1_000
CANDIDATES = 100_000
TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_schema IN ('card_ledger', 'authorization', 'admin') AND table_type = 'BASE TABLE'
"""


class RecordingBus(WrappedBus):
    """Hands on to the real bus and keeps what was published."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.published: dict[str, bytearray] = {}

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Keep, then publish."""
        for record in records:
            kept = self.published.setdefault(record.topic, bytearray())
            kept += record.key + b"|" + record.value + b"|" + record.envelope + b"\n"
        await super().publish(records, timeout_ms=timeout_ms)


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Collect all logs at DEBUG; what was configured before comes back."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logs(service="lesko", level="DEBUG", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def messages() -> list[bytes]:
    """Build frames of all kinds, good and bad; each holds a canary."""
    frames = []
    for stan in range(MESSAGES // 8):
        number, track = NUMBERS[stan % len(NUMBERS)], TRACKS[stan % len(TRACKS)]
        base = {
            3: "000000", 4: "000000010000", 11: f"{stan:06d}", 12: "120000",
            13: "", 22: "051", 24: "003", 41: "LSK00001", 42: "BUMA00000000001",
        }  # fmt: skip
        by_pan, by_track = {**base, 2: number, 52: PIN_BLOCK.hex()}, {**base, 35: track}
        frames += [
            ("0200", by_pan),
            ("0201", by_track | {11: f"{stan + 1_000:06d}"}),
            ("0400", by_track),
            ("0200", by_pan | {3: "310000", 11: f"{stan + 2_000:06d}"}),
            ("0200", by_pan | {42: "BUMA00000000002", 11: f"{stan + 3_000:06d}"}),
            ("0200", by_track | {48: number, 11: f"{stan + 4_000:06d}"}),
            ("0200", by_pan | {4: "000000000000", 62: "0"}),
            ("0777", by_track),
        ]
    today = f"{business_day(SystemClock().now_ms(), ZoneInfo('Asia/Jayapura')):%m%d}"
    return [encode_frame(mti, fields | {13: today}) for mti, fields in frames]


def spoilt(frames: Sequence[bytes]) -> list[bytes]:
    """Cut or bend some frames: lengths past the end, letters in numbers, plain garbage."""
    some = frames[:: len(frames) // 100]
    cut = [(len(frame) - 12).to_bytes(2, "big") + frame[2:-10] for frame in some if len(frame) > 40]
    bent = [frame[:20] + b"\xab" + frame[21:] for frame in some]
    garbage = [
        (len(body) + 5).to_bytes(2, "big") + bytes.fromhex("6000030000") + body
        for body in (number.encode() * 3 for number in NUMBERS)
    ]
    return [*cut, *bent, *garbage]


async def talk(port: int, frames: Sequence[bytes]) -> int:
    """Send frames a few on a connection each; return how many bytes came back."""
    heard = 0
    for start in range(0, len(frames), 8):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(frames[start : start + 8]))
        writer.write_eof()
        with suppress(ConnectionError):  # Ten dropped in a row close the socket.
            heard += len(await asyncio.wait_for(reader.read(-1), 10))
        writer.close()
    return heard


async def dump(dsn: str) -> dict[str, bytes]:
    """Copy every table as text."""
    connection = await asyncpg.connect(dsn)
    places = {}
    for schema, table in await connection.fetch(TABLES):
        out = io.BytesIO()
        await connection.copy_from_query(f'SELECT * FROM "{schema}"."{table}"', output=out)
        places[f"table {schema}.{table}"] = out.getvalue()
    await connection.close()
    return places


class TestSearch:
    @pytest.mark.parametrize(
        "planted",
        [
            NUMBERS[0].encode(),
            b"row\t\\x" + NUMBERS[0].encode().hex().encode(),
            bytes.fromhex(NUMBERS[0]),
            bytes.fromhex("0" + NUMBERS[0] + "f"),
            b64encode(b"x" + NUMBERS[0].encode() + b"yz"),
            b64encode(b"xy" + bytes.fromhex(NUMBERS[0])),
            TRACKS[0].replace("D", "=").encode(),
            bytes.fromhex(TRACKS[0]),
            b'{"pin":"' + PIN_BLOCK.hex().encode() + b'"}',
            PIN_BLOCK,
        ],
    )
    def test_finds_a_planted_canary(self, planted: bytes) -> None:
        """In each form: a table row, a topic record, a log line, a metric label, a dead letter."""
        found = search(
            {"place": b"before " + planted + b" after"}, (*NUMBERS, *TRACKS), [PIN_BLOCK]
        )

        assert found

    def test_finds_a_planted_unkeyed_hash(self) -> None:
        """As bytes and as a hex value of a dump."""
        hashes = unkeyed_hashes(NUMBERS)
        digest = sha256(NUMBERS[3].encode()).digest()[:16]
        places = {"raw": b"ab" + digest, "dump": b"1\t\\x" + digest.hex().encode()}

        assert {"raw", "dump"} == {leak.place for leak in search_hashes(places, hashes)}

    def test_finds_nothing_where_nothing_is(self) -> None:
        """A masked number is no leak."""
        assert [] == search({"log": b'{"card":"936009******0016"}'}, NUMBERS, [PIN_BLOCK])


class TestLeaks:
    async def test_leave_no_trace_of_a_card(
        self,
        make_database: Callable[..., Awaitable[str]],
        tmp_path: Path,
        logs: io.StringIO,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Tables, topics, dead letters, logs and metrics after 1,000 messages with canaries."""
        dsn, home = await make_database(), tmp_path
        installation = Installation(home=home)
        await installation.seed(dsn, cards=100, outlets=2)
        port, web = free_port(), free_port()
        monkeypatch.setenv("LESKO_HOME", str(home))
        monkeypatch.setenv("LESKO_ISO_BRIDGE__PORT", str(port))
        monkeypatch.setenv("LESKO_WEB__PORT", str(web))
        monkeypatch.setenv("LESKO_POSTGRES__ROLE_PREFIX", installation.role_prefix)
        settings = Settings()
        over = overrides(settings, logins_of(settings, SecretStr(dsn)))
        frames = messages()
        stop = asyncio.Event()
        async with open_shared(settings, SERVICES, logs=logs) as (shared, _):
            bus = RecordingBus(shared.bus)
            await bus.start()
            heard = []

            async def while_ready() -> None:
                heard.append(await talk(port, frames))
                heard.append(await talk(port, spoilt(frames)))
                junk = Outgoing("authorization.requests.v1", 0, b"k", b"\xff\xff", b"")
                await bus.publish([junk], timeout_ms=1_000)
                await asyncio.sleep(0.5)
                stop.set()

            await run_parts(
                SERVICES,
                replace(shared, bus=bus),
                over,
                stop=stop,
                while_ready=while_ready,
                ready_ms_max=30_000,
                one_by_one=True,
            )
            places = {
                **{f"topic {name}": bytes(kept) for name, kept in bus.published.items()},
                "metrics": generate_latest(shared.metrics.registry),
                "logs": logs.getvalue().encode(),
                **await dump(dsn),
            }

        assert len(frames) >= MESSAGES
        assert heard[0] > 50_000, "the switch answered too little for this to prove anything"
        assert any(name.endswith(".dead.v1") for name in bus.published)
        assert b'"event":"money"' in places["logs"]
        leaks: list[Leak] = search(places, (*NUMBERS, *TRACKS), [PIN_BLOCK])
        assert [] == leaks
        hashes = unkeyed_hashes(pan_of(serial) for serial in range(1, CANDIDATES + 1))
        assert [] == search_hashes(places, hashes)
