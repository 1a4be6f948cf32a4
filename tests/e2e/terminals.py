"""Terminals with many purchases in flight, and what they believe of each."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import asyncpg

from loadtests.frames import decode_frame, encode_frame, pan_of

AMOUNT = 100
TERMINALS = 8
CARDS = 80  # Serials 96 to 99 of a hundred are special.
JAYAPURA = timezone(timedelta(hours=9))

Key = tuple[int, int]
"""Terminal and STAN."""

EFFECTS = """
    SELECT substr(terminal, 4)::int AS terminal, stan,
           coalesce(sum(amount) FILTER (WHERE kind = 1 AND outcome = 1), 0)::bigint AS paid,
           coalesce(sum(amount) FILTER (WHERE kind = 5), 0)::bigint AS back
      FROM card_ledger.transfer WHERE terminal <> '' GROUP BY 1, 2
"""


class Terminals:
    """Eight terminals on a standing connection each; one purchase of Rp 1.00 a key."""

    def __init__(self, port: int, *, first_stan: int = 0) -> None:
        self._port = port
        self._day = datetime.now(UTC).astimezone(JAYAPURA)
        self._stan = first_stan
        self._writers: list[asyncio.StreamWriter] = []
        self._readers: list[asyncio.Task[None]] = []
        self.sent: set[Key] = set()
        self.answers: dict[Key, tuple[str, str]] = {}  # DE39 and DE37 of the last answer.

    @property
    def unanswered(self) -> set[Key]:
        """Keys of which a terminal does not know what became."""
        return self.sent - set(self.answers)

    async def dial(self) -> None:
        """Open all connections, anew."""
        await self.hang_up()
        for _ in range(TERMINALS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writers.append(writer)
            self._readers.append(asyncio.create_task(self._listen(reader)))

    async def hang_up(self) -> None:
        """Close all connections."""
        for task in self._readers:
            task.cancel()
        for writer in self._writers:
            writer.close()
        self._writers, self._readers = [], []
        await asyncio.sleep(0)

    def buy(self, count: int) -> None:
        """Send so many new purchases at once."""
        for number in range(count):
            self._stan += not number % TERMINALS
            key = (number % TERMINALS + 1, self._stan)
            self.sent.add(key)
            self._send("0200", key)

    def ask_again(self, mti: str, keys: set[Key]) -> None:
        """Repeat (0201) or reverse (0400) these keys."""
        for key in keys:
            self.answers.pop(key, None)
            self._send(mti, key)

    async def wait_answered(self, keys: set[Key], seconds: float) -> None:
        """Wait until all these keys have an answer."""
        async with asyncio.timeout(seconds):
            while not keys <= self.answers.keys():  # noqa: ASYNC110 -- answers come by callback
                await asyncio.sleep(0.02)

    def _send(self, mti: str, key: Key) -> None:
        terminal, stan = key
        frame = encode_frame(
            mti,
            {
                2: pan_of((terminal * 31 + stan) % CARDS + 1),
                3: "000000",
                4: f"{AMOUNT:012d}",
                11: f"{stan:06d}",
                12: "120000",
                13: f"{self._day:%m%d}",
                22: "012",
                24: "003",
                41: f"LSK{terminal:05d}",
                42: f"BUMA{terminal:011d}",
                49: "360",
            },
        )
        self._writers[terminal - 1].write(frame)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readexactly(2)
                frame = length + await reader.readexactly(int.from_bytes(length, "big"))
                _, fields = decode_frame(frame)
                key = (int(fields[41][3:]), int(fields[11]))
                self.answers[key] = (fields[39], fields.get(37, ""))


async def effects(dsn: str) -> dict[Key, tuple[int, int]]:
    """Return what each key paid and got back, from the books."""
    connection = await asyncpg.connect(dsn)
    try:
        return {
            (row["terminal"], row["stan"]): (row["paid"], row["back"])
            for row in await connection.fetch(EFFECTS)
        }
    finally:
        await connection.close()
