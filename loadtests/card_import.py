"""How long an import of cards takes until its last answer, and how the switch answers meanwhile.

``python -m loadtests.card_import --cards 100000`` runs a whole switch (one process, memory bus)
beside a PostgreSQL of its own and prints what it measured.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import httpx

from libs.tcp import free_port
from loadtests.embedded_switch import Installation
from loadtests.postgres import open_postgres
from services.admin.domain.role import Role
from services.admin.domain.session import token_hash
from services.cli.seeding.plan import luhn_digit

_TOKEN: Final = "card-import"  # noqa: S105 -- of a database that goes away with the run
_PERSON: Final = """
    WITH person AS (
        INSERT INTO admin.operator (login, name, role, made_at)
        VALUES ('load', 'load', $1, now()) RETURNING id)
    INSERT INTO admin.session (token_hash, operator, issued_at, expires_at, has_factor)
    SELECT $2, id, now(), now() + interval '1 day', false FROM person
"""
_LOOK_S: Final = 0.2
_ASK_EVERY_S: Final = 0.05


def card_file(count: int) -> bytes:
    """Return a file of so many new cards."""
    rows = []
    for serial in range(count):
        body = f"93600977{serial:07d}"
        rows.append(f"{body}{luhn_digit(body)},standard,3012\n")
    return ("card_number,product,expiry\n" + "".join(rows)).encode()


async def measure(client: httpx.AsyncClient, count: int) -> dict[str, Any]:
    """Import cards and return what was measured; raises HTTPStatusError."""
    file = card_file(count)
    waits_ms: list[float] = []
    asking = asyncio.create_task(_keep_asking(client, waits_ms))
    begun = time.monotonic()
    reply = await client.post(
        "/v1/cards/import", content=file, headers={"content-type": "text/csv"}
    )
    taken = reply.raise_for_status().json()
    kept_s = time.monotonic() - begun
    while True:
        found = (await client.get(f"/v1/cards/imports/{taken['file']}")).raise_for_status().json()
        if found["closed"] == found["commands"]:
            break
        await asyncio.sleep(_LOOK_S)
    done_s = time.monotonic() - begun
    asking.cancel()
    return {
        "cards": count,
        "file_bytes": len(file),
        "commands": found["commands"],
        "created": found["created"],
        "failed": found["failed"],
        "in_the_outbox_s": round(kept_s, 2),
        "last_answer_s": round(done_s, 2),
        "cards_per_s": round(count / done_s),
        "card_found_ms": _spread(waits_ms),
    }


async def _keep_asking(client: httpx.AsyncClient, waits_ms: list[float]) -> None:
    """Ask for a card all the time: through admin and authorization, as everybody else does."""
    while True:
        begun = time.monotonic()
        await client.post("/v1/cards/find", json={"reference": "0" * 32})
        waits_ms.append((time.monotonic() - begun) * 1_000)
        await asyncio.sleep(_ASK_EVERY_S)


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(median(ordered), 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "max": round(ordered[-1], 1),
    }


async def _run(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lesko-card-import-") as work:
        home = Path(work) / "home"
        home.mkdir()
        port = free_port()
        switch = Installation(home=home, knobs={"LESKO_ADMIN__PORT": str(port)})
        async with open_postgres(None, Path(work)) as postgres:
            dsn = await postgres.create("lesko_card_import")
            await switch.seed(dsn, cards=10, outlets=1)
            connection = await asyncpg.connect(dsn)
            await connection.execute(_PERSON, int(Role.OPERATOR), token_hash(_TOKEN))
            await connection.close()
            async with (
                switch.serve(dsn) as running,
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    headers={"authorization": f"Bearer {_TOKEN}"},
                    timeout=120,
                ) as client,
            ):
                found = await measure(client, count)
                found["memory_max_kb"] = _memory_max_kb(running.processes["switch"])
                return found


def _memory_max_kb(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=100_000)
    for name, value in asyncio.run(_run(parser.parse_args().cards)).items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
