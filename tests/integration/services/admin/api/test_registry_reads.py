"""Reading the registry over HTTP: pages and scopes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from libs.pg import Pool, open_pool
from tests.integration.services.admin.registry_bench import PEOPLE, Bench

pytestmark = pytest.mark.postgres

KINDS = ("outlets", "terminals", "groups", "products", "programmes")


@pytest.fixture
async def pool(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[Pool]:
    dsn = await make_database({"admin": Path("services/admin/migrations")})
    async with open_pool(dsn, name="tests", size=2) as opened:
        yield opened


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.hire()
    await bench.with_groups()
    return bench


async def fill(bench: Bench, count: int) -> None:
    """Add outlets with terminals, every third one in papua."""
    rows = [
        {
            "row": number + 1,
            "code": f"BUMA{number:011d}",
            "name": "Kios",
            "region": "papua" if number % 3 == 0 else "biak",
            "groups": ["even"] if number % 2 == 0 else [],
            "terminal": f"LSK{number:05d}",
        }
        for number in range(1, count + 1)
    ]
    answer = await bench.do("operator", "POST", "/v1/outlets/import", rows=rows, sha256="0" * 64)
    assert answer["is_imported"]


async def pages(bench: Bench, login: str, kind: str, rows_max: int) -> list[list[str]]:
    """Return the codes of each page."""
    found: list[list[str]] = []
    after = ""
    while True:
        page = await bench.do(login, "GET", f"/v1/{kind}?after={after}&rows_max={rows_max}")
        found.append([row["code"] for row in page["rows"]])
        after = page["after"]
        if not after:
            return found


@pytest.mark.parametrize("kind", ["outlets", "terminals"])
async def test_gives_each_row_once(bench: Bench, kind: str) -> None:
    """Pages follow one another without gap or repeat, also longer than one piece of the table."""
    await fill(bench, 1_201)

    found = await pages(bench, "auditor", kind, 500)

    assert [500, 500, 201] == [len(page) for page in found]
    codes = [code for page in found for code in page]
    assert (1_201, sorted(set(codes))) == (len(codes), codes)


@pytest.mark.parametrize("kind", ["outlets", "terminals"])
async def test_shows_what_is_in_the_scope(bench: Bench, kind: str) -> None:
    """A region's people see its outlets and their terminals, and nothing of others."""
    await fill(bench, 20)

    found = await pages(bench, "papua", kind, 4)
    groups = await pages(bench, "even", kind, 100)

    assert [["3", "6", "9", "12"], ["15", "18"]] == [
        [code[-4:].lstrip("0SK") for code in page] for page in found
    ]
    assert 10 == len(groups[0])
    path = f"/v1/{kind}/" + ("BUMA00000000002" if kind == "outlets" else "LSK00002")
    outside = await bench.send("papua", "GET", path)
    assert (403, "NOT_YOUR_SCOPE") == (outside.status, outside.code)


@pytest.mark.parametrize("kind", KINDS)
async def test_is_for_every_role(bench: Bench, kind: str) -> None:
    """Whoever has signed in may read; what is not there is not there."""
    statuses = {
        login: (
            (await bench.send(login, "GET", f"/v1/{kind}")).status,
            (await bench.send(login, "GET", f"/v1/{kind}/nothing")).status,
        )
        for login in PEOPLE
    }
    stranger = await bench.send("nobody", "GET", f"/v1/{kind}")

    assert dict.fromkeys(PEOPLE, (200, 404)) == statuses
    assert 401 == stranger.status


async def test_shows_products_in_pages_of_products(bench: Bench) -> None:
    """A product with several sets is one row, wherever codes lie to one another."""
    for code in ("std", "std-b", "std.c"):
        await bench.agree("POST", "/v1/products", code=code, ceiling_minor=100)
    await bench.agree("PATCH", "/v1/products/std", in_force_from="2026-12-01", day_count=1)
    await bench.agree("PATCH", "/v1/products/std", in_force_from="2027-01-01", day_count=2)

    found = await pages(bench, "auditor", "products", 2)

    assert [["std", "std-b"], ["std.c"]] == found
    assert 3 == len((await bench.do("auditor", "GET", "/v1/products/std"))["sets"])


async def test_is_not_held_up_by_a_writer(bench: Bench) -> None:
    """A long import does not stop anybody from looking."""
    await fill(bench, 2)
    async with bench.transactions.begin() as work:
        await work.registry.hold()
        page = await bench.do("auditor", "GET", "/v1/outlets")

    assert 2 == len(page["rows"])
