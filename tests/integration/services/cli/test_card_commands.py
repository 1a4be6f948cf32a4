"""``lesko card``: as people type it, against a real admin and authorization."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from services.admin.domain.role import Role
from services.cli.admin_session import SignedIn, keep_session
from services.cli.faults import sentence_of
from services.cli.main import build_app
from tests.integration.services.admin.card_bench import (
    CardBench,
    card_file,
    card_number,
    open_card_bench,
)

pytestmark = pytest.mark.postgres

ONE = card_number(1)


class Said(NamedTuple):
    """What a command wrote, lines joined, and its exit code."""

    code: int
    text: str


class Desk:
    """Somebody at a terminal."""

    def __init__(self, bench: CardBench, home: Path) -> None:
        self.bench = bench
        self.home = home

    async def run(self, *words: str, typed: str = "", role: Role = Role.OPERATOR) -> Said:
        """Run a command as a person of a role."""
        keep_session(self.home, SignedIn(self.bench.url, role.name, role.name))
        env = {
            "LESKO_ADMIN__URL": self.bench.url,
            "LESKO_HOME": str(self.home),
            "COLUMNS": "200",
        }
        ended = await asyncio.to_thread(
            CliRunner().invoke, build_app(), ["card", *words], input=typed, env=env
        )
        text = " ".join(ended.output.split())
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            text += sentence_of(ended.exception) or repr(ended.exception)
        assert ONE not in text
        return Said(ended.exit_code, text)


@pytest.fixture
async def desk(make_database: Callable[..., Awaitable[str]], tmp_path: Path) -> AsyncIterator[Desk]:
    """Admin and authorization, and no card."""
    async with open_card_bench(make_database, tmp_path / "keys") as bench:
        bench.start("admin", "authorization")
        await bench.until_ready()
        yield Desk(bench, tmp_path / "home")


async def test_cards_live_by_commands_alone(desk: Desk, tmp_path: Path) -> None:
    """Imported, issued, blocked, shown by number and by reference, stolen, proposed, closed."""
    file = tmp_path / "cards.csv"
    file.write_bytes(card_file(range(1, 251)))
    said = await desk.run("import", str(file))
    assert (0, True) == (said.code, "250 new cards, 0 were there already" in said.text), said
    reason = ("--reason", "because")

    assert "active." in (await desk.run("issue", "--pan-stdin", *reason, typed=f"{ONE}\n")).text
    assert "blocked." in (await desk.run("block", *reason, typed=f"{ONE}\n")).text
    shown = await desk.run("show", "--pan-stdin", "--json", typed=f"{ONE}\n")
    assert '"status":"blocked"' in shown.text
    reference = desk.bench.token(ONE).hex()
    assert f'"reference":"{reference}"' in shown.text
    assert "blocked" in (await desk.run("show", reference)).text
    assert "stolen." in (await desk.run("stolen", reference, *reason)).text
    wrong = await desk.run("unblock", reference, *reason)
    assert (1, True) == (wrong.code, "The card is stolen." in wrong.text)
    proposed = await desk.run("recover", reference, *reason)
    assert (0, True) == (proposed.code, "waits for a second person" in proposed.text)
    assert "closed." in (await desk.run("close", reference, *reason)).text
    assert 1 == (await desk.run("issue", reference, *reason)).code


async def test_problems_of_a_file_are_listed(desk: Desk, tmp_path: Path) -> None:
    """Row, column, sentence; nothing is written, not by a check either."""
    clean, broken = tmp_path / "clean.csv", tmp_path / "broken.csv"
    clean.write_bytes(card_file(range(1, 3)))
    broken.write_bytes(card_file(range(1, 3)) + f"{ONE},gold,30/12\n".encode())

    said = await desk.run("import", str(broken))
    assert 1 == said.code
    for part in ("card_number", "Row 2 has this card", "product", "expiry", "3 problems"):
        assert part in said.text
    checked = await desk.run("import", "--check", str(clean))
    assert (0, True) == (checked.code, "has no problem: 2 rows" in checked.text)
    assert 0 == await desk.bench.count('SELECT count(*) FROM "authorization".card')
    refused = await desk.run("import", str(clean), role=Role.FINANCE)
    assert (1, True) == (refused.code, "Your role may not do this" in refused.text)


async def test_mistakes_end_as_one_sentence(desk: Desk) -> None:
    """Which never repeats what was typed."""
    why = ("--reason", "x")
    for words, typed, sentence in (
        (("block", ONE, *why), "", "does not belong on a command line"),
        (("show", ONE), "", "does not belong on a command line"),
        (("block", "--pan-stdin", *why), "12\n", "no card number"),
        (("block", "0" * 32, "--pan-stdin", *why), "", "Name one card"),
        (("block", "0" * 32, *why), "", "There is no such thing"),
    ):
        said = await desk.run(*words, typed=typed)

        assert (1, True) == (said.code, sentence in said.text), said
