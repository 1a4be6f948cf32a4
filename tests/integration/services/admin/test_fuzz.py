"""A few hundred requests of ``make fuzz-http``: none of them ends in a mistake of ours."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from loadtests.http_fuzz import REACH_LEAST, Hit, Tally, fuzz
from loadtests.http_fuzz_scene import SCHEMAS, open_scene
from services.admin.api.app import routes_of

pytestmark = pytest.mark.postgres

CASES = 500
SEED = 20_261_125
MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


# Of the generator, not of ours.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema_rs")
async def test_requests_of_every_form_end_in_an_answer(
    make_database: MakeDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most of them reach a handler, every endpoint is asked, and no answer is a 5xx."""
    dsn = await make_database(SCHEMAS)
    async with open_scene(dsn, tmp_path) as scene:
        loop = asyncio.get_running_loop()
        tally = await asyncio.to_thread(fuzz, scene, cases=CASES, number=SEED, loop=loop)

    asked = {row["endpoint"] for row in tally.table()}
    broken = [line for line in capsys.readouterr().out.splitlines() if "request_" in line]
    assert ([], []) == (tally.server_errors, broken)
    there = {f"{one} {route.path}" for route in routes_of() for one in route.methods or ()}
    assert there == asked
    assert tally.cases >= CASES * 0.9
    assert tally.reach >= REACH_LEAST


class TestTally:
    def test_tells_handlers_from_the_edge(self) -> None:
        """A refusal of a handler reached it; what the edge refused did not."""
        tally = Tally()
        for hit in (
            Hit("GET /a", 200, ""),
            Hit("GET /a", 404, "UNKNOWN"),
            Hit("GET /a", 404, "NO_ROUTE"),
            Hit("GET /a", 500, "MISTAKE"),
        ):
            tally.count(hit)

        assert (4, 0.75, [Hit("GET /a", 500, "MISTAKE")]) == (
            tally.cases,
            tally.reach,
            tally.server_errors,
        )
