"""``lesko wallet``: what people see and write, against the API that it is a client of."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from libs.fakes.admin import MemoryTransactions
from libs.fakes.wallets import wallet_desk
from libs.web import serve_app
from services.admin.api.app import build_api
from services.admin.api.wallets import router
from services.cli.admin_session import SignedIn, keep_session
from services.cli.faults import sentence_of
from services.cli.main import build_app

PERIOD = ("--from", "2026-11-24", "--to", "2026-11-24")
PAPER = ("--reason", "Selisih kas", "--document", "BA-17")


class Desk:
    """Runs commands as somebody of finance."""

    def __init__(self) -> None:
        self.transactions = MemoryTransactions()

    async def run(self, *words: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it wrote, its sentence of trouble too."""
        result = await asyncio.to_thread(CliRunner().invoke, build_app(), ["wallet", *words])
        trouble = ""
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            trouble = sentence_of(result.exception) or repr(result.exception)
        return result.exit_code, " ".join((result.output + trouble).split())


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A served API that knows wallet 7."""
    opened = Desk()
    app = build_api(wallet_desk(opened.transactions), [router])
    async with serve_app(app, host="127.0.0.1", port=0, setting="none") as port:
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("LESKO_ADMIN__URL", url)
        monkeypatch.setenv("LESKO_HOME", str(tmp_path))
        keep_session(tmp_path, SignedIn(url, "ani", "FINANCE"))
        yield opened


class TestWallet:
    async def test_shows_what_it_holds(self, desk: Desk) -> None:
        """For people and for machines."""
        code, text = await desk.run("show", "7")
        _, said = await desk.run("show", "7", "--json")

        assert 0 == code, text
        assert "Rp 5,00" in text
        for told in ("Approved.", "Not enough money", "none yet"):
            assert told in text
        assert 500 == json.loads(said)["purses"][0]["balance_minor"]

    async def test_says_what_is_wrong(self, desk: Desk) -> None:
        """Admin's own sentence."""
        code, text = await desk.run("show", "8")

        assert 1 == code
        assert "There is no such thing" in text

    async def test_shows_its_statement(self, desk: Desk) -> None:
        """Purses, movements, and why people moved money."""
        code, text = await desk.run("statement", "7", *PERIOD)

        assert 0 == code, text
        for part in ("2026-11-24", "adjustment", "Rp 5,00", "Selisih kas / BA-17"):
            assert part in text

    async def test_writes_its_statement_to_a_file(self, desk: Desk, tmp_path: Path) -> None:
        """As admin gives it; without a file to write, nothing is asked."""
        out = tmp_path / "statement.pdf"
        words = ("statement", "7", *PERIOD, "--format", "pdf")
        refused, text = await desk.run(*words)
        code, _ = await desk.run(*words, "--out", str(out))

        assert (1, 0) == (refused, code)
        assert "--out" in text
        assert b"1 movements" == out.read_bytes()

    async def test_proposes_an_adjustment(self, desk: Desk) -> None:
        """Rupiah on one side; the number of the proposal is told."""
        code, text = await desk.run("adjust", "7", "--debit", "12500.5", "--purse", "1", *PAPER)
        (proposal,) = desk.transactions.proposals.values()

        assert 0 == code, text
        assert "Proposal 1 waits for a second person" in text
        assert {"purse": 1, "amount_minor": 12_500_50, "direction": "debit"} == (
            proposal.act.content
        )

    @pytest.mark.parametrize("sides", [(), ("--credit", "1", "--debit", "1"), ("--credit", "x")])
    async def test_needs_one_amount(self, desk: Desk, sides: tuple[str, ...]) -> None:
        """Neither none nor two, and one that can be read."""
        code, text = await desk.run("adjust", "7", *sides, *PAPER)

        assert 1 == code
        assert "amount" in text
        assert {} == desk.transactions.proposals
