"""The commands of the registry against the API that they are clients of."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from libs.fakes.registry import a_product, a_programme, a_terminal, an_outlet
from libs.pg import open_pool
from libs.registry import EntityStatus
from libs.web import serve_app
from services.cli.admin_session import SignedIn, keep_session
from services.cli.faults import sentence_of
from services.cli.main import build_app
from tests.integration.services.admin.registry_bench import Bench

pytestmark = pytest.mark.postgres

FIRST = "BUMA00000000001"
HEADER = "code,name,region,groups,terminal\n"
CLEAN = f"{HEADER}{FIRST},Kios Wamena,papua,even;north,LSK00001\nBUMA00000000002,Toko,biak,,\n"
DIRTY = f"{HEADER}{FIRST},Kios,papua,nobody,LSK1\nBUMA,Toko,biak,,\n{FIRST},,Biak,,,\n"


class Desk:
    """Runs commands as somebody."""

    def __init__(self, bench: Bench, url: str, home: Path) -> None:
        self.bench = bench
        self._url = url
        self._home = home

    async def run(self, login: str, *words: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it wrote, its sentence of trouble too."""
        keep_session(self._home, SignedIn(self._url, login, login))
        result = await asyncio.to_thread(CliRunner().invoke, build_app(), words)
        trouble = ""
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            trouble = sentence_of(result.exception) or repr(result.exception)
        return result.exit_code, result.output + trouble

    async def well(self, login: str, *words: str) -> str:
        """Run a command that must succeed."""
        code, text = await self.run(login, *words)
        assert 0 == code, text
        return text

    async def json(self, login: str, *words: str) -> Any:
        """Run a command that writes JSON."""
        return json.loads(await self.well(login, *words, "--json"))


@pytest.fixture
async def desk(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    dsn = await make_database({"admin": Path("services/admin/migrations")})
    async with open_pool(dsn, name="tests", size=4) as pool:
        bench = Bench(pool)
        await bench.hire()
        await bench.with_groups()
        async with serve_app(bench.app, host="127.0.0.1", port=0, setting="none") as port:
            url = f"http://127.0.0.1:{port}"
            monkeypatch.setenv("LESKO_ADMIN__URL", url)
            monkeypatch.setenv("LESKO_HOME", str(tmp_path))
            yield Desk(bench, url, tmp_path)


def a_file(directory: Path, text: str) -> str:
    """Write a CSV file; return its path."""
    path = directory / "outlets.csv"
    path.write_text(text)
    return str(path)


async def test_lists_what_is_wrong_with_a_file(desk: Desk, tmp_path: Path) -> None:
    """Mistakes of form and of content stand in one table; nothing was written."""
    before = await desk.bench.count()

    code, text = await desk.run("operator", "outlet", "import", a_file(tmp_path, DIRTY))

    assert 1 == code
    assert "has 4 problems; nothing was written. Mend them and try again." in text
    told = [line for line in text.splitlines() if line.startswith("│")]
    assert [("2", "groups"), ("2", "terminal"), ("3", "code"), ("4", "")] == [
        (cells[1].strip(), cells[2].strip()) for cells in (line.split("│") for line in told)
    ]
    assert before == await desk.bench.count()


async def test_imports_a_file(desk: Desk, tmp_path: Path) -> None:
    """First a check that writes nothing, then all of it; the groups are those between ";"."""
    before = await desk.bench.count()
    checked = await desk.well("operator", "outlet", "import", "--check", a_file(tmp_path, CLEAN))
    assert before == await desk.bench.count()
    told = await desk.well("operator", "outlet", "import", "--without-mac", a_file(tmp_path, CLEAN))

    expected = an_outlet(1_000_001, code=FIRST, groups=("even", "north"), region="papua")
    assert "has no problem: 2 rows. Nothing was written." in checked
    assert "Added 2 outlets and 1 terminals" in told
    assert (expected._replace(name="Kios Wamena"), 1) == await desk.bench.entry(f"outlet/{FIRST}")
    assert (a_terminal(1), 1) == await desk.bench.entry("terminal/LSK00001")


async def test_leads_an_outlet_and_its_terminal(desk: Desk) -> None:
    """From add to close; each command says the state and the version."""
    await desk.well(
        *("operator", "outlet", "add", FIRST, "--name", "Kios", "--region", "papua"),
        *("--group", "even", "--group", "north"),
    )
    await desk.well("operator", "terminal", "add", "LSK00001", "--outlet", FIRST, "--without-mac")
    told = await desk.well("operator", "outlet", "set", FIRST, "--no-groups", "--name", "Toko")
    await desk.well("operator", "outlet", "pause", FIRST, "--reason", "no power")
    await desk.well("operator", "outlet", "resume", FIRST, "--reason", "power")
    shown = await desk.well("auditor", "terminal", "show", "LSK00001")
    await desk.well("operator", "terminal", "close", "LSK00001", "--reason", "broken")
    listed = await desk.json("auditor", "outlet", "list")

    expected = an_outlet(1_000_001, code=FIRST, groups=(), region="papua")._replace(name="Toko")
    assert f"Outlet {FIRST}: active, version 2." in told
    assert "may_omit_mac" in shown
    assert (expected, 4) == await desk.bench.entry(f"outlet/{FIRST}")
    closed = a_terminal(1, status=EntityStatus.CLOSED)
    assert (closed, 2) == await desk.bench.entry("terminal/LSK00001")
    assert [(FIRST, 4)] == [(row["code"], row["version"]) for row in listed]


async def test_proposes_products_and_programmes(desk: Desk) -> None:
    """Amounts are rupiah on the command line and sen in the registry."""
    told = await desk.well(
        *("admin", "product", "add", "standard", "--ceiling", "20000000", "--day-count", "3"),
        *("--pin-above", "50000", "--from", "2026-12-01", "--group", "even", "--reason", "new"),
    )
    await desk.well(
        *("admin", "programme", "add", "1", "--name", "Bantuan", "--group", "even"),
        *("--goods-class", "3", "--goods-class", "7", "--reason", "new"),
    )
    for number in (1, 2):
        assert 200 == (await desk.bench.approve(number)).status
    shown = await desk.well("operator", "product", "show", "standard")

    product = a_product(
        in_force_from=20_788,
        day_count=3,
        asks_pin=True,
        pin_above_minor=5_000_000,
        outlet_groups=("even",),
    )._replace(ceiling_minor=2_000_000_000)
    assert "Proposal 1 waits for a second person" in told
    assert (product, 1) == await desk.bench.entry("product/standard/20788")
    assert (a_programme(1, goods_classes=(3, 7)), 1) == await desk.bench.entry("programme/1")
    assert "Rp 20.000.000,00" in shown


async def test_says_in_one_sentence_what_is_refused(desk: Desk) -> None:
    """The API's own sentence, with exactly what is wrong."""
    code, text = await desk.run(
        "operator", "outlet", "add", FIRST, "--name", "Kios", "--group", "x"
    )
    other, no_right = await desk.run("auditor", "group", "add", "west", "--name", "Barat")

    assert (1, 1) == (code, other)
    assert "There is no outlet group x; make it with `lesko group add`." in text
    assert "Your role may not do this" in no_right
    assert "Traceback" not in text + no_right
