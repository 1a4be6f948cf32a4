"""Who may recover the books: two people, or a reason that is written down while admin is down."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from libs.clock import SystemClock
from services.cli.admin_client import AdminClient
from services.cli.commands.ledger_recover import check_allowed
from services.cli.faults import CommandRefused
from services.cli.settings import Settings

Answer = Callable[[httpx.Request], httpx.Response]


def proposal(state: str, action: str = "ledger.recover", *, days_old: int = 0) -> Answer:
    """Answer with a proposal."""
    decided_ms = SystemClock().now_ms() - days_old * 86_400_000 - 1_000
    found = {
        "decided_ms": decided_ms,
        "number": 7, "action": action, "state": state, "maker": "ani", "checker": "budi",
        "reason": "disk gone",
    }  # fmt: skip
    return lambda _: httpx.Response(200, json=found)


def nobody(request: httpx.Request) -> httpx.Response:
    """Be down."""
    raise httpx.ConnectError("refused", request=request)


def notes(home: Path) -> list[dict[str, object]]:
    """Return what was written down."""
    path = home / "log" / "recovery.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def check(home: Path, answer: Answer, number: int | None, emergency: str = "") -> None:
    """Ask whether it may be done."""
    settings = Settings(home=home)
    check_allowed(settings, AdminClient(settings, httpx.MockTransport(answer)), number, emergency)


def test_an_approved_proposal_is_enough(tmp_path: Path) -> None:
    """Both names and the reason are written down outside of the database."""
    check(tmp_path, proposal("approved"), 7)

    assert [("ani and budi", "disk gone")] == [
        (note["people"], note["reason"]) for note in notes(tmp_path)
    ]


@pytest.mark.parametrize(
    ("answer", "number", "emergency", "sentence"),
    [
        (proposal("open"), 7, "", "is ledger.recover, open"),
        (proposal("rejected"), 7, "", "rejected"),
        (proposal("approved", "wallet.adjust"), 7, "", "is wallet.adjust"),
        (proposal("approved", days_old=1), 7, "", "more than a day ago"),
        (proposal("approved"), None, "", "takes two people"),
        (nobody, None, "", "takes two people"),
        (nobody, 7, "", "No admin can be reached"),
        (proposal("open"), None, "I am in a hurry", "Admin answers"),
        (lambda _: httpx.Response(401, json={}), None, "in a hurry", "Admin answers"),
    ],
)
def test_anything_else_is_not(
    tmp_path: Path, answer: Answer, number: int | None, emergency: str, sentence: str
) -> None:
    """Not approved, another action, one person, or an emergency that is none."""
    with pytest.raises(CommandRefused, match=sentence):
        check(tmp_path, answer, number, emergency)
    assert [] == notes(tmp_path)


def test_an_emergency_is_written_down(tmp_path: Path) -> None:
    """While admin is down a reason is enough; who gave it stays to be read."""
    check(tmp_path, nobody, None, "the machine burnt")

    assert ["the machine burnt"] == [note["emergency"] for note in notes(tmp_path)]
