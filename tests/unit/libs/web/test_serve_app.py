"""Serving an app: over TLS alone where it is given, and with patience that ends."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from libs.web import Tls, serve_app
from tests.unit.libs.web.certificates import make_certificate

HOST = "127.0.0.1"
HEAD_MS = 300
GUARD_S = 10  # Of what should take a third of a second.


def an_app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def look() -> str:
        return "here"

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    return app


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[int]:
    async with serve_app(an_app(), host=HOST, port=0, setting="X", **options) as port:
        yield port


async def ask(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(sent)
        async with asyncio.timeout(GUARD_S):
            return await _rest(reader)
    finally:
        writer.close()


class TestTls:
    @pytest.fixture
    def tls(self, tmp_path: Path) -> Tls:
        """Give a certificate of this machine."""
        return make_certificate(tmp_path)

    async def test_serves_whoever_trusts_the_certificate(self, tls: Tls) -> None:
        """TLS 1.3, and the app knows that it is asked over TLS."""
        trusting = ssl.create_default_context(cafile=str(tls.certificate))
        async with served(tls=tls) as port, httpx.AsyncClient(verify=trusting) as client:
            answer = await client.get(f"https://{HOST}:{port}/")
            stream = answer.extensions["network_stream"]

        assert (200, '"here"') == (answer.status_code, answer.text)
        assert "TLSv1.3" == stream.get_extra_info("ssl_object").version()

    async def test_is_not_trusted_by_others(self, tls: Tls) -> None:
        """Nobody has signed it."""
        async with served(tls=tls) as port, httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"https://{HOST}:{port}/")

    async def test_serves_nothing_in_clear(self, tls: Tls) -> None:
        """No fallback: a plain request has no answer at all."""
        async with served(tls=tls) as port:
            said = await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert b"here" not in said
        assert not said.startswith(b"HTTP/")

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    async def test_refuses_old_versions(self, tls: Tls) -> None:
        """TLS 1.1 is no TLS any more."""
        old = ssl.create_default_context(cafile=str(tls.certificate))
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        async with served(tls=tls) as port:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(HOST, port, ssl=old)


class TestPatience:
    @pytest.mark.parametrize(
        "begun", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-A"]
    )
    async def test_ends_with_a_head_that_does_not_come(self, begun: bytes) -> None:
        """Whether nothing was said or half of it."""
        async with served(head_ms_max=HEAD_MS) as port:
            assert b"" == await ask(port, begun)

    async def test_ends_with_a_head_that_drips(self) -> None:
        """Each byte on its own buys no further time."""
        async with served(head_ms_max=HEAD_MS) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            async with asyncio.timeout(GUARD_S):
                writer.write(b"GET / HTTP/1.1\r\n")
                while not reader.at_eof() and reader.exception() is None:
                    writer.write(b"X-A: b\r\n")
                    await asyncio.sleep(HEAD_MS / 10_000)
            assert b"" == await _rest(reader)
            writer.close()

    async def test_ends_also_on_a_connection_that_was_of_use(self) -> None:
        """The second head has no more time than the first."""
        async with served(head_ms_max=HEAD_MS) as port:
            said = await _second_half(port)

        assert 1 == said.count(b'"here"')

    async def test_does_not_end_while_a_body_comes(self) -> None:
        """What comes behind the head is the app's own concern."""
        async with served(head_ms_max=HEAD_MS) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n")
            writer.write(b"Connection: close\r\n\r\n")
            for _ in range(20):
                await asyncio.sleep(HEAD_MS / 10_000)  # Twice the patience in all.
                writer.write(b"x")
            async with asyncio.timeout(GUARD_S):
                said = await reader.read()
            writer.close()

        assert said.startswith(b"HTTP/1.1 200")
        assert said.endswith(b"\r\n\r\n20")


class TestLimits:
    async def test_tell_who_is_one_too_many(self) -> None:
        """503 at once; those who were there go on."""
        async with served(connections_max=3) as port:
            idle = [await asyncio.open_connection(HOST, port) for _ in range(3)]
            said = await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            for _, writer in idle:
                writer.close()

        assert said.startswith(b"HTTP/1.1 503")

    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
            b"GET http//\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
    )
    async def test_refuse_heads_that_nobody_should_send(self, head: bytes) -> None:
        """No HTTP, or open to be read in two ways; the connection ends."""
        async with served(head_ms_max=HEAD_MS) as port:
            said = await ask(port, head)

        assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.1 431"))

    async def test_read_no_head_of_a_megabyte(self) -> None:
        """The connection ends; whether the client still reads why depends on how it sends."""
        head = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n"
        async with served(head_ms_max=HEAD_MS) as port:
            said = await ask(port, head)

        assert b"here" not in said

    async def test_prefer_neither_of_two_lengths(self) -> None:
        """With both a length and chunks, the chunks count and nothing is left over for another."""
        async with served() as port:
            said = await ask(
                port,
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n"
                b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            )

        assert b'"here"' not in said

    async def test_tell_no_version(self) -> None:
        """Nor what serves."""
        async with served() as port, httpx.AsyncClient() as client:
            answer = await client.get(f"http://{HOST}:{port}/")

        assert "server" not in answer.headers


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """Return what was said before the end."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def _second_half(port: int) -> bytes:
    """Ask once, wait for the answer, then begin to ask again."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(GUARD_S):
        said = await reader.readuntil(b'"here"')
        writer.write(b"GET / HTTP/1.1\r\nHo")
        said += await _rest(reader)
    writer.close()
    return said
