"""The question that a container is asked for its health, against a real process's pages."""

import asyncio
import sys
from pathlib import Path

import pytest

from libs.observe import Health, Metrics
from libs.web import serve_health

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "docker" / "health.py"


async def ask(port: int, path: str) -> tuple[int | None, str]:
    """Run the script as the image does; return exit code and output."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(SCRIPT), str(port), path),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        out, _ = await child.communicate()
    return child.returncode, out.decode()


@pytest.fixture
def health() -> Health:
    """Give the health of a process that can do its work."""
    found = Health()
    found.report("database", None)
    return found


async def test_is_well_when_ready(health: Health) -> None:
    """Exit code 0, and the answer for whoever inspects the container."""
    async with serve_health(health, Metrics().registry, host="127.0.0.1", port=0) as port:
        code, text = await ask(port, "/readyz")

    assert code == 0
    assert '"status":"ready"' in text


async def test_is_ill_when_not_ready(health: Health) -> None:
    """Exit code 1, and the problem in words."""
    health.report("database", "it is read-only")
    async with serve_health(health, Metrics().registry, host="127.0.0.1", port=0) as port:
        code, text = await ask(port, "/readyz")

    assert code == 1
    assert "it is read-only" in text


async def test_is_well_when_alive_though_not_ready(health: Health) -> None:
    """Whoever stands by is asked whether it lives, not whether it works."""
    health.report("database", "it is read-only")
    async with serve_health(health, Metrics().registry, host="127.0.0.1", port=0) as port:
        code, _ = await ask(port, "/healthz")

    assert code == 0


async def test_is_ill_when_nobody_answers(health: Health) -> None:
    """Exit code 1 and a sentence, no traceback."""
    async with serve_health(health, Metrics().registry, host="127.0.0.1", port=0) as port:
        pass
    code, text = await ask(port, "/readyz")

    assert code == 1
    assert f"nobody answers on port {port}" in text
