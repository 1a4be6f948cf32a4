"""Health over HTTP, in the same event loop, on a port that may be taken."""

import asyncio
import re
import signal
import socket

import httpx
import pytest

from libs.observe import Health, Metrics
from libs.web import PortTaken, serve_health

HOST = "127.0.0.1"


async def get(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://{HOST}:{port}{path}")


class TestServeHealth:
    async def test_says_that_it_is_alive(self) -> None:
        """Alive does not mean ready: a problem does not matter here."""
        health = Health()
        health.expect("database")
        async with serve_health(health, Metrics().registry, host=HOST, port=0) as port:
            answer = await get(port, "/healthz")

        assert (200, {"status": "alive"}) == (answer.status_code, answer.json())

    async def test_says_when_it_is_ready_and_why_not(self) -> None:
        """503 with the problems by check, 200 once they are gone."""
        health = Health()
        health.report("database", "cannot be written")
        async with serve_health(health, Metrics().registry, host=HOST, port=0) as port:
            before = await get(port, "/readyz")
            health.report("database", None)
            after = await get(port, "/readyz")

        assert (503, {"status": "not ready", "problems": {"database": "cannot be written"}}) == (
            before.status_code,
            before.json(),
        )
        assert (200, {"status": "ready", "problems": {}}) == (after.status_code, after.json())

    async def test_shows_figures(self) -> None:
        """The registry it was given, in the text form of Prometheus."""
        metrics = Metrics()
        metrics.ledger_rows.inc(3)
        async with serve_health(Health(), metrics.registry, host=HOST, port=0) as port:
            answer = await get(port, "/metrics")

        assert answer.headers["content-type"].startswith("text/plain")
        assert "lesko_ledger_rows_total 3.0\n" in answer.text

    async def test_shows_which_checks_fail_beside_the_figures(self) -> None:
        """As they stand at each request."""
        health = Health()
        health.expect("database")
        async with serve_health(health, Metrics().registry, host=HOST, port=0) as port:
            before = await get(port, "/metrics")
            health.report("database", None)
            after = await get(port, "/metrics")

        assert 'lesko_check_failing{check="database"} 1.0\n' in before.text
        assert 'lesko_check_failing{check="database"} 0.0\n' in after.text

    async def test_leaves_the_registry_as_it_was(self) -> None:
        """A second serve on it shows the second health alone, also after a port was taken."""
        registry = Metrics().registry
        first, second = Health(), Health()
        first.expect("bus")
        second.expect("database")
        async with serve_health(first, registry, host=HOST, port=0):
            pass
        with socket.create_server((HOST, 0)) as other, pytest.raises(PortTaken):
            async with serve_health(first, registry, host=HOST, port=other.getsockname()[1]):
                pass
        async with serve_health(second, registry, host=HOST, port=0) as port:
            answer = await get(port, "/metrics")

        assert ['{check="database"}'] == re.findall(
            r"^lesko_check_failing({.*}) ", answer.text, re.MULTILINE
        )

    @pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/"])
    async def test_describes_itself_to_nobody(self, path: str) -> None:
        """There is nothing but the three paths."""
        async with serve_health(Health(), Metrics().registry, host=HOST, port=0) as port:
            answer = await get(port, path)

        assert 404 == answer.status_code

    async def test_names_a_port_that_is_taken_and_its_setting(self) -> None:
        """The fault tells an operator what to change."""
        with socket.create_server((HOST, 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(PortTaken, match=rf"port {port} .*in use.*LESKO_X__PORT"):
                async with serve_health(
                    Health(), Metrics().registry, host=HOST, port=port, setting="LESKO_X__PORT"
                ):
                    pass

    async def test_frees_its_port(self) -> None:
        """The next start may have the same port at once."""
        async with serve_health(Health(), Metrics().registry, host=HOST, port=0) as port:
            await get(port, "/healthz")
        async with serve_health(Health(), Metrics().registry, host=HOST, port=port) as again:
            answer = await get(again, "/healthz")

        assert (port, 200) == (again, answer.status_code)

    async def test_leaves_signals_alone(self) -> None:
        """The handlers of main stay in place while it serves."""
        before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        async with serve_health(Health(), Metrics().registry, host=HOST, port=0):
            during = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

        assert before == during

    async def test_ends_with_a_client_that_stays_connected(self) -> None:
        """A standing connection of a scraper does not keep the process alive."""
        async with asyncio.timeout(10):
            async with serve_health(Health(), Metrics().registry, host=HOST, port=0) as port:
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                first = await reader.readline()

            assert b"HTTP/1.1 200 OK\r\n" == first
            writer.close()
            await writer.wait_closed()
