"""A file of cards: all of it in the outbox, or nothing of it and every problem."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

import pytest

from libs.clock import day_number
from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.card_pb2 import CardCommand
from libs.contracts.topics import CARD_COMMAND, REQUESTS
from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import a_caller
from libs.fakes.registry import a_product
from libs.iso8583 import Pan
from libs.registry import EntityStatus, write_change
from libs.vault import TokenKey, Vault
from services.admin.adapters.card_sealer import CardSealer
from services.admin.domain.card_rows import luhn_sum
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.card_parts import CARDS_IN_COMMAND
from services.admin.handlers.import_cards import ImportCards, Imported, Problems

PARTITIONS = 4
HEAD = "card_number,product,expiry\n"
VAULT = Vault({1: bytes(32)})
SEALER = CardSealer(TokenKey(bytes(32)), VAULT)
MAKER = a_caller(Role.OPERATOR)


def number(serial: int) -> str:
    """A right card number."""
    body = f"93600988{serial:07d}0"
    return f"{body[:-1]}{-luhn_sum(body) % 10}"


def a_file(*rows: str, head: str = HEAD) -> bytes:
    """A file of these rows."""
    return (head + "".join(f"{row}\n" for row in rows)).encode()


class Bench:
    """A registry with one product, and the import."""

    def __init__(self) -> None:
        self.tables = MemoryTransactions()
        self.run = ImportCards(
            self.tables, SEALER, partitions=PARTITIONS, today=lambda: day_number(date(2026, 11, 24))
        )

    async def take(
        self, data: bytes, *, is_check: bool = False, role: Role = Role.OPERATOR
    ) -> Imported | Problems | Refused:
        """Import a file that comes in small parts."""

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 1_000):
                yield data[start : start + 1_000]

        return await self.run(a_caller(role), parts(), is_check=is_check)

    def cards(self) -> list[tuple[int, CardCommand]]:
        """The commands that were kept, with their partitions."""
        return [(one.partition, CardCommand.FromString(one.record)) for one in self.tables.commands]


@pytest.fixture
async def bench() -> Bench:
    found = Bench()
    known = a_product()._replace(ceiling_minor=900)
    products = [known, known._replace(code="off", status=EntityStatus.PAUSED)]
    async with found.tables.begin() as work:
        await work.registry.write([write_change(one, version=1, changed_ms=0) for one in products])
    return found


async def test_becomes_commands_of_each_cards_partition(bench: Bench) -> None:
    """In parts of 500 cards, each card sealed, masked and with its product's ceiling."""
    count = PARTITIONS * CARDS_IN_COMMAND + 1
    found = await bench.take(a_file(*(f"{number(n)},standard,12/30" for n in range(count))))

    assert isinstance(found, Imported)
    kept = bench.tables.commands
    assert (count, len(kept)) == (found.rows, found.commands)
    assert {(REQUESTS, CARD_COMMAND, "card.import")} == {
        (one.topic, one.schema, one.action) for one in kept
    }
    assert len(kept) == len({one.entity for one in kept}) == len({one.id for one in kept})
    seen = []
    for (partition, command), one in zip(bench.cards(), kept, strict=True):
        assert command.command_id == one.id
        assert 0 < len(command.import_cards.cards) <= CARDS_IN_COMMAND
        for card in command.import_cards.cards:
            assert partition == request_partition(card.token, PARTITIONS)
            assert ("3012", "standard", 900) == (card.expiry, card.product, card.ceiling_minor)
            pan = VAULT.open_(card.sealed_pan, token=card.token)
            assert (card.token, card.masked) == (SEALER.token(pan), str(pan))
            seen.append(pan)
    assert {Pan(number(n)) for n in range(count)} == set(seen)
    [row] = bench.tables.audit
    assert ("card.import", "done", f"card-file/{found.file.hex()}") == (
        row.action,
        row.result,
        row.entity,
    )


async def test_names_every_problem_and_writes_nothing(bench: Bench) -> None:
    """By row and column, duplicates with the row that was first; no cell is repeated."""
    good = number(7)
    found = await bench.take(
        a_file(
            f"{good},standard,3012",
            f"{number(1)[:-1]}x,standard,3012",
            "",
            f"{number(2)},off,2601",
            f"{good},standard,3012",
            f"{number(3)},standard",
            f"standard,{number(4)},3012",
        )
    )

    assert isinstance(found, Problems)
    assert [
        (3, "card_number"),
        (5, "product"),
        (5, "expiry"),
        (6, "card_number"),
        (7, ""),
        (8, "card_number"),
        (8, "product"),
    ] == [(one.row, one.column) for one in found.first]
    assert "Row 2 has this card already." == found.first[3].sentence
    assert not any(good[6:-4] in one.sentence for one in found.first)
    assert ([], "refused") == (bench.tables.commands, bench.tables.audit[0].result)
    assert '"problems":7' in bench.tables.audit[0].content


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("\ufeffExpiry;PRODUCT;card_number\r\n", [f"3012;standard;{number(1)}\r"]),
        ("product\tcard_number\texpiry\n", [f'"standard"\t{number(1)}\t 12/30 ', "\t\t"]),
    ],
)
async def test_reads_what_spreadsheets_write(bench: Bench, head: str, rows: Sequence[str]) -> None:
    """A mark in front, other separators, another order, quotes, spaces, empty rows."""
    found = await bench.take(a_file(*rows, head=head))

    assert isinstance(found, Imported)
    [(_, command)] = bench.cards()
    [card] = command.import_cards.cards
    assert (SEALER.token(Pan(number(1))), "3012") == (card.token, card.expiry)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        a_file(f"{number(1)},standard,3012", head=""),
        a_file(head="card_number,product\n"),
        a_file(head="card_number,product,expiry,expiry\n"),
        a_file(f'"{number(1)},standard,3012'),
        HEAD.encode() + b"\xff\xfe,standard,3012\n",
        HEAD.encode("utf-16"),
    ],
)
async def test_refuses_what_is_no_such_table(bench: Bench, data: bytes) -> None:
    """With one sentence, which repeats nothing of it."""
    found = await bench.take(data)

    assert isinstance(found, Problems)
    assert 1 == found.total
    assert number(1)[6:] not in found.first[0].sentence
    assert [] == bench.tables.commands


async def test_counts_all_problems_and_shows_the_first(bench: Bench) -> None:
    """A hundred are enough to see what is wrong with a file."""
    found = await bench.take(a_file(*["1,standard,3012"] * 250))

    assert isinstance(found, Problems)
    assert (100, 250, 250) == (len(found.first), found.total, found.rows)


async def test_checks_without_writing(bench: Bench) -> None:
    """Neither commands nor a row of the audit: nothing was done or tried."""
    found = await bench.take(a_file(f"{number(1)},standard,3012"), is_check=True)

    assert Problems([], 0, 1) == found
    assert ([], []) == (bench.tables.commands, bench.tables.audit)


async def test_is_for_operators(bench: Bench) -> None:
    """And the attempt of another one is noted."""
    found = await bench.take(a_file(f"{number(1)},standard,3012"), role=Role.FINANCE)

    assert Refused(Refusal.NOT_YOUR_ROLE) == found
    assert ["refused"] == [row.result for row in bench.tables.audit]
    assert Refused(Refusal.NOT_ALLOWED, "The file has no row below its header.") == (
        await bench.take(HEAD.encode())
    )


async def test_takes_one_file_at_a_time(bench: Bench) -> None:
    """What one needs of memory is bounded; another one hears that it must wait."""

    async def never() -> AsyncIterator[bytes]:
        second = await bench.take(a_file(f"{number(1)},standard,3012"))
        assert isinstance(second, Refused)
        assert Refusal.WRONG_STATE is second.why
        yield a_file(f"{number(2)},standard,3012")

    assert isinstance(await bench.run(MAKER, never()), Imported)
    assert isinstance(await bench.take(a_file(f"{number(3)},standard,3012")), Imported)
