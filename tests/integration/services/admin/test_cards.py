"""Cards from the API to the tables of three services and back: once, whatever is down or lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from libs.contracts.topics import CARD_COMMAND
from libs.fakes.clock import FixedClock
from libs.outcome import Outcome
from services.admin.domain.role import Role
from services.admin.handlers.send_commands import SendCommands
from services.admin.store.commands import CommandStore
from services.admin.store.relay import PostgresRelay
from tests.integration.services.admin.card_bench import (
    CardBench,
    card_file,
    card_number,
    open_card_bench,
)

pytestmark = pytest.mark.postgres

ONE = card_number(1)
BLOCKED = Outcome.CARD_BLOCKED.number
_OPEN = "SELECT count(*) FROM admin.command WHERE closed_at IS NULL"


@pytest.fixture
async def bench(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> AsyncIterator[CardBench]:
    """Admin and authorization, people, and no card."""
    async with open_card_bench(make_database, tmp_path) as opened:
        opened.start("admin", "authorization")
        await opened.until_ready()
        yield opened


async def an_active_card(bench: CardBench) -> str:
    """Import and issue card 1; return its reference."""
    await bench.import_cards(card_file(range(1, 2)))
    found = (await bench.ask("/v1/cards/find", {"number": ONE})).json()
    assert "inactive" == found["status"]
    assert "active" == (await bench.step(found["reference"], "issue"))["card"]["status"]
    reference: str = found["reference"]
    return reference


class TestSteps:
    async def test_block_a_card_within_one_round_trip(self, bench: CardBench) -> None:
        """The purchase before it passes, the next one is refused; unblocked it passes again."""
        reference = await an_active_card(bench)
        verdicts = [(await bench.buy(ONE)).verdict]
        for verb in ("block", "unblock"):
            assert "done" == (await bench.step(reference, verb))["result"]
            verdicts.append((await bench.buy(ONE)).verdict)

        assert [0, BLOCKED, 0] == verdicts

    async def test_refuse_what_a_state_does_not_allow(self, bench: CardBench) -> None:
        """Said at once where the card was found in it, audited, and nothing is sent."""
        reference = await an_active_card(bench)
        await bench.step(reference, "close")
        before = await bench.count("SELECT count(*) FROM admin.command")
        found = await bench.step(reference, "block")

        assert ("WRONG_STATE", "The card is closed.") == (
            found["error"]["code"],
            found["error"]["detail"],
        )
        assert before == await bench.count("SELECT count(*) FROM admin.command")
        [row] = await bench.pool.read("SELECT * FROM admin.audit ORDER BY no DESC LIMIT 1")
        assert (f"card/{reference}", "card.block", "refused") == (
            row["entity"],
            row["action"],
            row["result"],
        )
        assert '"masked":"936009******' in row["content"]

    async def test_need_two_people_to_recover_a_stolen_card(self, bench: CardBench) -> None:
        """One person only proposes it."""
        reference = await an_active_card(bench)
        assert "done" == (await bench.step(reference, "stolen"))["result"]
        assert "proposal" in await bench.step(reference, "recover")
        assert Outcome.CARD_STOLEN.number == (await bench.buy(ONE)).verdict

    async def test_are_not_for_everybody(self, bench: CardBench) -> None:
        """An auditor neither changes nor sees cards; nobody guesses a reference."""
        reference = await an_active_card(bench)
        for path, body in (
            (f"/v1/cards/{reference}/block", {"reason": "because"}),
            ("/v1/cards/find", {"reference": reference}),
            ("/v1/cards/import", card_file(range(2, 3))),
        ):
            assert 403 == (await bench.ask(path, body, role=Role.AUDITOR)).status_code
        assert 404 == (await bench.ask("/v1/cards/find", {"reference": "0" * 32})).status_code


class TestDelivery:
    async def test_waits_for_an_authorization_that_is_away(self, bench: CardBench) -> None:
        """A card is blocked at any time: kept, sent again and again, done once it is back."""
        reference = await an_active_card(bench)
        await bench.stop("authorization")
        reply = await bench.ask(f"/v1/cards/{reference}/block", {"reason": "because"})
        path = f"/v1/commands/{reply.json()['command']}"
        assert not (await bench.ask(f"{path}?wait_ms=700")).json()["is_closed"]
        bench.start("authorization")
        shown = (await bench.ask(f"{path}?wait_ms=10000")).json()

        assert "done" == shown["answer"]["result"]
        assert BLOCKED == (await bench.buy(ONE)).verdict
        sent = [one for one in bench.bus.schemas(CARD_COMMAND) if one.key.hex() == reference]
        records = [one.value for one in sent]
        assert len(records) > len(set(records))  # The same record, until somebody answered it.

    async def test_survives_a_bus_that_forgets_all(self, bench: CardBench) -> None:
        """Sent on a bus that died before anybody read it, with admin dying beside it."""
        reference = await an_active_card(bench)
        await bench.stop("authorization")
        reply = await bench.ask(f"/v1/cards/{reference}/block", {"reason": "because"})
        await bench.new_bus()
        bench.start("admin", "authorization")
        await bench.until_ready()
        shown = await bench.ask(f"/v1/commands/{reply.json()['command']}?wait_ms=10000")

        assert "done" == shown.json()["answer"]["result"]
        assert BLOCKED == (await bench.buy(ONE)).verdict

    async def test_does_once_what_came_twice(self, bench: CardBench) -> None:
        """All that was ever sent to authorization comes once more, in another order."""
        reference = await an_active_card(bench)
        for verb in ("block", "unblock"):
            await bench.step(reference, verb)
        again = list(reversed(bench.bus.schemas(CARD_COMMAND)))
        answers = "SELECT id, answer FROM admin.command ORDER BY id"
        before = await bench.pool.read(answers)
        await bench.bus.publish(again, timeout_ms=1_000)

        assert 0 == (await bench.buy(ONE)).verdict  # Behind them on the same partition.
        assert before == await bench.pool.read(answers)
        assert 1 == await bench.count('SELECT count(*) FROM "authorization".card')

    async def test_is_one_senders_turn(self, bench: CardBench) -> None:
        """Of two processes one sends; the other takes over when it is gone."""
        await an_active_card(bench)
        await bench.stop("admin", "authorization")
        await bench.pool.write(
            "INSERT INTO admin.command (id, topic, partition, key, schema, record, action, entity,"
            " operator, made_at) VALUES ('0123456789abcdef', 'authorization.requests.v1', 0, '',"
            " 'lesko.v1.CardCommand', '', 'card.block', 'card/0', 1, now())"
        )
        relays = [PostgresRelay(SecretStr(bench.dsn)) for _ in range(2)]
        first, second = (a_sender(bench, relay) for relay in relays)

        assert [1, 0] == [await first(), await second()]
        await relays[0].close()
        assert 1 == await second()
        await relays[1].close()


def a_sender(bench: CardBench, relay: PostgresRelay) -> SendCommands:
    """A sender of a process of its own."""
    clock = FixedClock()
    return SendCommands(
        CommandStore(bench.pool, clock), relay, bench.bus, clock,
        instance=0, resend_every_ms=1_000, in_flight_max=2, send_timeout_ms=1_000,
    )  # fmt: skip


class TestImport:
    async def test_makes_cards_and_opens_their_purses(self, bench: CardBench) -> None:
        """Inactive, each with a wallet whose purse is open, spread over all ledger partitions."""
        bench.start("card_ledger")
        done = await bench.import_cards(card_file(range(1, 1_201), expiry="12/30"))

        assert (1_200, 0, 0) == (done["created"], done["known"], done["failed"])
        assert 1_200 == await bench.count(
            'SELECT count(DISTINCT wallet) FROM "authorization".card WHERE status = 0'
        )
        opened = "SELECT count(*) FROM card_ledger.account WHERE number >> 56 = 1"
        async with asyncio.timeout(20):
            while await bench.count(opened) < 1_200:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
        assert 8 == await bench.count('SELECT count(DISTINCT wallet % 8) FROM "authorization".card')

    async def test_leaves_what_is_there_as_it_is(self, bench: CardBench) -> None:
        """The same file again makes nothing, and an issued card stays issued."""
        await an_active_card(bench)
        done = await bench.import_cards(card_file(range(1, 4)))

        assert (2, 1) == (done["created"], done["known"])
        assert 0 == (await bench.buy(ONE)).verdict

    async def test_writes_nothing_of_a_file_with_problems(self, bench: CardBench) -> None:
        """Every problem with its row and column; a check of a clean file writes nothing either."""
        broken = card_file(range(1, 700)) + b"1234,standard,3012\n" + card_file(range(1, 2))[27:]
        found = await bench.import_cards(broken)
        checked = (await bench.ask("/v1/cards/import?check=true", card_file(range(5)))).json()

        assert (False, 2, [(701, "card_number"), (702, "card_number")]) == (
            found["is_imported"],
            found["count"],
            [(one["row"], one["column"]) for one in found["problems"]],
        )
        assert (False, 0, 5) == (checked["is_imported"], checked["count"], checked["rows"])
        for table in ("admin.command", '"authorization".card'):
            assert 0 == await bench.count(f"SELECT count(*) FROM {table}")

    async def test_leaves_no_card_number_behind(
        self, bench: CardBench, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Not in a table, on a topic, in an answer or in a log; neither of files that are wrong."""
        reference = await an_active_card(bench)
        await bench.step(reference, "block")
        swapped = f"product,card_number,expiry\n{ONE},standard,3012\n".encode()
        headless = f"{ONE},standard,3012\n".encode()
        quoted = f'card_number,product,expiry\n"{ONE},standard\n'.encode()
        latin = b"card_number,product,expiry\n" + ONE.encode() + b",\xff,3012\n"
        replies = [
            (await bench.ask("/v1/cards/import", file)).text
            for file in (swapped, headless, quoted, latin, card_file(range(1, 2), product="x"))
        ]
        replies.append((await bench.ask("/v1/cards/find", {"number": f"{ONE}x"})).text)
        replies.append((await bench.ask("/v1/cards/find", {"reference": ONE})).text)
        replies.append((await bench.ask(f"/v1/cards/{ONE}/block", {"reason": "x"})).text)
        stored = await bench.everything_stored()
        heard = b"\n".join(b"".join(one[2:]) for one in bench.bus.heard)

        assert "936009" in stored  # It looks where cards are.
        assert b"936009" in heard
        for canary in (ONE, ONE.encode().hex(), ONE[6:-4]):
            assert canary not in stored
            assert canary.encode() not in heard
            for text in replies:
                assert canary not in text
        out, err = capfd.readouterr()
        assert ONE not in out + err
