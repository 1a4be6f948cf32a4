"""Every route that changes a thing somewhere, by people of that place and of another one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from libs.pg import Pool, open_pool
from services.admin.api import outlets, terminals
from services.admin.api.app import routes_of
from tests.integration.services.admin.registry_bench import Bench

pytestmark = pytest.mark.postgres

MIGRATIONS: Final = {"admin": Path("services/admin/migrations")}
SCOPED: Final = [
    (method, route.path)
    for route in routes_of([outlets.router, terminals.router])
    for method in sorted(route.methods or ())
    if method != "GET"
]
"""Outlets lie in a region, terminals with their outlet; everything else is everywhere."""
BODIES: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    **{
        ("POST", f"/v1/{kind}/{{code}}/{verb}"): {"reason": "a test"}
        for kind in ("outlets", "terminals")
        for verb in ("pause", "resume", "close")
    },
    ("POST", "/v1/outlets"): {"code": "BUMA00000000002", "name": "Kios", "region": "biak"},
    ("PATCH", "/v1/outlets/{code}"): {"name": "Other"},
    ("POST", "/v1/outlets/import"): {
        "rows": [{"row": 2, "code": "BUMA00000000003", "name": "Kios", "region": "biak"}],
        "sha256": "0" * 64,
    },
    ("POST", "/v1/terminals"): {"code": "00000002", "outlet": "BUMA00000000001"},
    ("PATCH", "/v1/terminals/{code}"): {"may_omit_mac": True},
}
CODES: Final = {"outlets": "BUMA00000000001", "terminals": "00000001"}
MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    dsn = await make_database(MIGRATIONS)
    async with open_pool(dsn, name="test owners") as opened:
        yield opened


def test_every_route_has_a_body_here() -> None:
    """A new one must be tried too."""
    assert set(BODIES) == set(SCOPED)


async def test_things_are_changed_by_people_of_their_place_alone(pool: Pool) -> None:
    """Of another region or of a group that they are not in: refused, and nothing has changed."""
    bench = Bench(pool)
    await bench.hire()
    outlet = {"code": CODES["outlets"], "name": "Kios", "region": "biak"}
    await bench.do("operator", "POST", "/v1/outlets", **outlet)
    terminal = {"code": CODES["terminals"], "outlet": CODES["outlets"]}
    await bench.do("operator", "POST", "/v1/terminals", **terminal)
    before = await bench.pool.read("SELECT entity, record FROM admin.registry ORDER BY entity")

    for method, path in SCOPED:
        for stranger in ("papua", "even"):
            answer = await bench.send(stranger, method, _address(path), **BODIES[method, path])
            if path.endswith("/import"):
                assert answer.body["is_imported"] is False, answer
            else:
                assert (403, "NOT_YOUR_SCOPE") == (answer.status, answer.code), (method, path)

    after = await bench.pool.read("SELECT entity, record FROM admin.registry ORDER BY entity")
    assert before == after
    for method, path in SCOPED:
        answer = await bench.send("east", method, _address(path), **BODIES[method, path])
        assert answer.status != 403, (method, path)


def _address(path: str) -> str:
    kind = path.split("/")[2]
    return path.replace("{code}", CODES[kind])
