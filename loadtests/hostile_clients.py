"""Bad clients of one kind, as a process: ``python -m loadtests.hostile_clients flood --port 8583``.

It attacks 127.0.0.1 only, says ``attacking`` once everything stands, goes on until its input ends,
and then prints what it did as one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from itertools import cycle
from typing import Final

import uvloop

from loadtests.fleet import PURCHASE_HEAD, Fleet, stan_bytes, today
from loadtests.frames import encode_field, encode_frame, pan_of
from loadtests.plan import PURCHASE_CODE

HOST: Final = "127.0.0.1"
SILENT: Final = "silent"
DRIBBLING: Final = "dribbling"
HALF_OPEN: Final = "half-open"
FLOOD: Final = "flood"
NOT_READING: Final = "not reading"

CONNECTIONS: Final = 1_000
DRIBBLE_EVERY_S: Final = 1.0
AGAIN_AFTER_S: Final = 0.05
FLOOD_FRAMES: Final = 50_000
CARDS: Final = 90  # Demo cards with nothing special about them.
WRITE_BYTES: Final = 65_536
BIG: Final = "x" * 900
TCP_REPAIR: Final = 19  # Linux; a socket closed in it says nothing to the other end.

Did = Counter[str]
Attack = Callable[[int, int, Did, asyncio.Event], Awaitable[None]]
"""Attack a port as a terminal, count what was done, and set the event once all of it stands."""


async def stay_silent(port: int, _terminal: int, did: Did, stands: asyncio.Event) -> None:
    """Connect a thousand times and say nothing; dial again where the switch hangs up."""
    await _many(partial(_hold, port, did), stands)


async def dribble(port: int, terminal: int, did: Did, stands: asyncio.Event) -> None:
    """Send a purchase on a thousand lines, a byte a second each."""
    frame = _frames(terminal, 1)[0]
    await _many(partial(_dribble, port, frame, did), stands)


async def vanish(port: int, terminal: int, did: Did, stands: asyncio.Event) -> None:
    """Say one echo on a thousand lines, and lose power on each: no end is ever told.

    Where the kernel does not let us close in silence, the lines stay and never say anything more.
    """
    await _many(partial(_vanish, port, _echo(terminal), did), stands)


async def flood(port: int, terminal: int, did: Did, stands: asyncio.Event) -> None:
    """Send purchases of one terminal as fast as its line takes them."""
    frames = _frames(terminal, FLOOD_FRAMES)
    size = len(frames[0])
    stream = b"".join(frames)
    async with _line(port) as (reader, writer), asyncio.TaskGroup() as tasks:
        tasks.create_task(_swallow(reader, did))
        stands.set()
        for at in cycle(range(0, len(stream), WRITE_BYTES)):
            piece = stream[at : at + WRITE_BYTES]
            writer.write(piece)
            await writer.drain()
            did["messages"] += len(piece) // size


async def never_read(port: int, terminal: int, did: Did, stands: asyncio.Event) -> None:
    """Ask for answers of 900 bytes without taking any; begin anew where the switch hangs up."""
    loop, piece = asyncio.get_running_loop(), _echo(terminal, {62: BIG}) * 32
    while True:
        with closing(socket.socket()) as raw, suppress(ConnectionError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            raw.setblocking(False)  # noqa: FBT003 -- the socket's own interface
            await loop.sock_connect(raw, (HOST, port))
            did["opened"] += 1
            stands.set()
            while True:
                await loop.sock_sendall(raw, piece)
                did["messages"] += 32
        did["hung_up"] += 1
        await asyncio.sleep(AGAIN_AFTER_S)


ATTACKS: Final[Mapping[str, Attack]] = {
    SILENT: stay_silent, DRIBBLING: dribble, HALF_OPEN: vanish, FLOOD: flood,
    NOT_READING: never_read,
}  # fmt: skip


async def _many(
    one: Callable[[asyncio.Event], Coroutine[None, None, None]], stands: asyncio.Event
) -> None:
    """Run a thousand of them; they stand once each one has begun."""
    begun = [asyncio.Event() for _ in range(CONNECTIONS)]
    async with asyncio.TaskGroup() as tasks:
        for each in begun:
            tasks.create_task(one(each))
        for each in begun:
            await each.wait()
        stands.set()


async def _hold(port: int, did: Did, begun: asyncio.Event) -> None:
    while True:
        async with _line(port) as (reader, _):
            did["opened"] += 1
            begun.set()
            with suppress(ConnectionError):
                await reader.read(1)
        did["hung_up"] += 1
        await asyncio.sleep(AGAIN_AFTER_S)


async def _dribble(port: int, frame: bytes, did: Did, begun: asyncio.Event) -> None:
    while True:
        async with _line(port) as (_, writer):
            did["opened"] += 1
            with suppress(ConnectionError):
                for byte in frame[:-1]:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    begun.set()
                    await asyncio.sleep(DRIBBLE_EVERY_S)
        did["hung_up"] += 1


async def _vanish(port: int, echo: bytes, did: Did, begun: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    with closing(socket.socket()) as raw:
        raw.setblocking(False)  # noqa: FBT003 -- the socket's own interface
        await loop.sock_connect(raw, (HOST, port))
        await loop.sock_sendall(raw, echo)
        await loop.sock_recv(raw, 4_096)
        did["opened"] += 1
        begun.set()
        try:
            raw.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            did["kept_open"] += 1
            await asyncio.Event().wait()
    did["vanished"] += 1


@asynccontextmanager
async def _line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _swallow(reader: asyncio.StreamReader, did: Did) -> None:
    while data := await reader.read(WRITE_BYTES):
        did["answer_bytes"] += len(data)


def _echo(terminal: int, more: Mapping[int, str] | None = None) -> bytes:
    return encode_frame("0800", {11: "000001", 41: f"LSK{terminal:05d}", 70: "301", **(more or {})})


def _frames(terminal: int, count: int) -> list[bytes]:
    """Return purchases of one terminal, each with a STAN of its own."""
    fleet = Fleet(terminal, today())
    tail, time = fleet.terminals[-1].tail, fleet.time_bytes()
    money = encode_field(3, PURCHASE_CODE) + encode_field(4, "100")
    heads = [PURCHASE_HEAD + encode_field(2, pan_of(n)) + money for n in range(1, CARDS + 1)]
    return [heads[stan % CARDS] + stan_bytes(stan) + time + tail for stan in range(1, count + 1)]


async def attack(kind: str, port: int, terminal: int) -> Did:
    """Attack until the input ends; return what was done."""
    did, stands, loop = Did(), asyncio.Event(), asyncio.get_running_loop()
    working = asyncio.ensure_future(ATTACKS[kind](port, terminal, did, stands))
    standing = asyncio.ensure_future(stands.wait())
    await asyncio.wait({working, standing}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        await working
    print("attacking", flush=True)
    ended = loop.run_in_executor(None, sys.stdin.readline)
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    if working.done() and kind != HALF_OPEN:
        await working
    await ended
    working.cancel()
    return did


def main() -> None:
    """Read the command line, attack, say what was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(ATTACKS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--terminal", type=int, default=1, help="number of the demo terminal")
    asked = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        did = runner.run(attack(asked.kind, asked.port, asked.terminal))
    print(json.dumps(dict(sorted(did.items()))), flush=True)


if __name__ == "__main__":
    main()
