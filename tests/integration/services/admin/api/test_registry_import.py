"""Whole files of outlets over HTTP: all of it or nothing, and every problem."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from libs.fakes.registry import a_terminal, an_outlet
from libs.pg import Pool, open_pool
from tests.integration.services.admin.registry_bench import Bench

pytestmark = pytest.mark.postgres

SHA256 = "5f" * 32
PATH = "/v1/outlets/import"
GUARD_S = 30


@pytest.fixture
async def pool(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[Pool]:
    dsn = await make_database({"admin": Path("services/admin/migrations")})
    async with open_pool(dsn, name="tests", size=4) as opened:
        yield opened


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.hire()
    await bench.with_groups()
    return bench


def a_row(number: int, **fields: Any) -> dict[str, Any]:
    """Return a right row of a file, behind its header."""
    return {
        "row": number + 1,
        "code": f"BUMA{number:011d}",
        "name": "Kios",
        "region": "papua",
        "groups": ["even"],
        "terminal": f"LSK{number:05d}",
        **fields,
    }


async def test_takes_over_a_whole_file(bench: Bench) -> None:
    """Outlets with numbers of their own, terminals where there are, one row of the audit."""
    rows = [a_row(1), a_row(2, terminal=""), a_row(3)]
    audited = len(await bench.audit())

    answer = await bench.do("papua", "POST", PATH, rows=rows, sha256=SHA256, may_omit_mac=True)

    assert {"is_imported": True, "outlets": 3, "terminals": 2} == answer
    expected = an_outlet(1_000_003, code="BUMA00000000003", region="papua")
    assert (expected, 1) == await bench.entry("outlet/BUMA00000000003")
    assert (a_terminal(3), 1) == await bench.entry("terminal/LSK00003")
    [row] = (await bench.audit())[audited:]
    assert ("papua", "outlet.import", "outlet", "done") == row[:4]
    assert {
        "content": {"rows": 3, "sha256": SHA256, "may_omit_mac": True},
        "outlets": 3,
        "terminals": 2,
    } == json.loads(row[4])


async def test_writes_nothing_until_the_file_is_clean(bench: Bench) -> None:
    """One wrong cell in the last of many rows: all problems are told, no row is written."""
    await bench.do("operator", "POST", PATH, rows=[a_row(7)], sha256=SHA256)
    before = await bench.count()
    rows = [a_row(number) for number in range(1, 1_300)]
    rows += [a_row(2_000, code="BUMA", name=""), a_row(2_001, groups=["nobody"])]

    answer = await bench.do("operator", "POST", PATH, rows=rows, sha256=SHA256)

    assert (False, 5) == (answer["is_imported"], answer["count"])
    assert [(8, "code"), (8, "terminal"), (2_001, "code"), (2_001, "name"), (2_002, "groups")] == [
        (one["row"], one["column"]) for one in answer["problems"]
    ]
    assert all(one["sentence"].endswith((".", "`.")) for one in answer["problems"])
    assert before == await bench.count()
    last = (await bench.audit())[-1]
    assert ("outlet.import", "refused", 5) == (last[1], last[3], json.loads(last[4])["problems"])


async def test_shows_a_hundred_problems_and_counts_all(bench: Bench) -> None:
    """A file of another kind is not read out to the end."""
    rows = [a_row(number, name="") for number in range(1, 251)]

    answer = await bench.do("operator", "POST", PATH, rows=rows, sha256=SHA256)

    assert (100, 250) == (len(answer["problems"]), answer["count"])


async def test_stays_in_the_callers_scope(bench: Bench) -> None:
    """One outlet of another region refuses the file of a region's operator."""
    before = await bench.count()

    answer = await bench.do(
        "papua", "POST", PATH, rows=[a_row(1), a_row(2, region="biak")], sha256=SHA256
    )

    assert [(3, "region")] == [(one["row"], one["column"]) for one in answer["problems"]]
    assert before == await bench.count()


async def test_only_checks_where_that_is_asked(bench: Bench) -> None:
    """A check of a clean file finds nothing and writes nothing, not even to the audit."""
    before = (await bench.count(), await bench.audit())

    answer = await bench.do("operator", "POST", PATH, rows=[a_row(1)], sha256=SHA256, is_check=True)

    assert {"is_imported": False, "problems": [], "count": 0} == answer
    assert before == (await bench.count(), await bench.audit())


async def test_refuses_an_empty_file(bench: Bench) -> None:
    """A header alone is a mistake."""
    answer = await bench.send("operator", "POST", PATH, rows=[], sha256=SHA256)

    assert (422, "NOT_ALLOWED") == (answer.status, answer.code)


async def test_takes_ten_thousand_rows(bench: Bench) -> None:
    """A whole country's outlets are one file; the time here only guards against hanging."""
    rows = [a_row(number) for number in range(1, 10_001)]
    begun = time.monotonic()

    answer = await bench.do("operator", "POST", PATH, rows=rows, sha256=SHA256)

    assert {"is_imported": True, "outlets": 10_000, "terminals": 10_000} == answer
    assert time.monotonic() - begun < GUARD_S
