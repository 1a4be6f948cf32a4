"""The outbox's table: what is sent next, and that an answer is the last word."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.contracts.topics import CARD_COMMAND, COMMANDS, LEDGER_COMMAND, REQUESTS
from services.admin.domain.role import Role
from services.admin.ports import Answered, NewCommand
from services.admin.store.commands import CommandStore
from tests.integration.services.admin.approvals import MakeDatabase, Office, open_office

pytestmark = pytest.mark.postgres


class Outbox:
    """Commands of one operator, named by letters."""

    def __init__(self, office: Office, operator: int) -> None:
        self.office = office
        self.store = CommandStore(office.pool, office.clock)
        self._operator = operator

    async def add(
        self, name: str, *, entity: str = "", topic: str = REQUESTS, partition: int = 0
    ) -> None:
        """Keep a command."""
        schema = CARD_COMMAND if topic == REQUESTS else LEDGER_COMMAND
        command = NewCommand(
            id_of(name), topic, partition, b"key", schema, b"record", "card.block", entity or name
        )
        async with self.office.transactions.begin() as work:
            await work.commands.add([command], operator=self._operator)

    async def next(self, rows_max: int = 9) -> str:
        """Names of what is to be sent."""
        found = await self.store.open_commands(rows_max=rows_max)
        return "".join(chr(one.id[0]) for one in found)

    async def close(self, *names: str, answer: bytes = b"a", schema: str = CARD_COMMAND) -> int:
        """Answer commands; return how many that closed."""
        return len(await self.store.close([Answered(id_of(one), schema, answer) for one in names]))


def id_of(name: str) -> bytes:
    """The id of a command."""
    return name.encode() * 16


@pytest.fixture
async def outbox(make_database: MakeDatabase) -> AsyncIterator[Outbox]:
    """An empty one."""
    async with open_office(make_database) as office:
        maker = await office.person("ani", Role.OPERATOR)
        yield Outbox(office, maker.operator)


async def test_gives_the_oldest_of_each_partition(outbox: Outbox) -> None:
    """So many of each, all in the order in which they were asked for."""
    for name, partition in zip("abcdef", (0, 0, 0, 1, 0, 1), strict=True):
        await outbox.add(name, partition=partition)
    await outbox.add("g", topic=COMMANDS)

    assert ["abdfg", "adg", "abcdefg"] == [await outbox.next(rows) for rows in (2, 1, 9)]
    assert 2 == await outbox.close("a", "d")
    assert "bfg" == await outbox.next(1)


async def test_gives_one_of_an_entity_at_a_time(outbox: Outbox) -> None:
    """What was asked later is not done earlier, also where it lies on another partition."""
    await outbox.add("a", entity="card/1")
    await outbox.add("b", entity="card/1")
    await outbox.add("c", entity="card/1", partition=3)
    await outbox.add("d", entity="card/2")

    order = [await outbox.next()]
    for name in "ab":
        await outbox.close(name)
        order.append(await outbox.next())

    assert ["ad", "bd", "cd"] == order


async def test_closes_once_by_an_answer_of_its_kind(outbox: Outbox) -> None:
    """The first word stays; another service's answer is none."""
    await outbox.add("a")

    assert 0 == await outbox.close("a", schema=LEDGER_COMMAND)
    assert 1 == await outbox.close("a", "a", "x")
    assert 0 == await outbox.close("a", answer=b"other")
    found = await outbox.store.find(id_of("a"))
    assert found is not None
    assert b"a" == found.answer
    assert await outbox.store.find(id_of("x")) is None


async def test_is_never_rewritten(outbox: Outbox) -> None:
    """Not even by the owner of the table."""
    await outbox.add("a")
    await outbox.add("b")
    await outbox.close("a")

    for sql in (
        "UPDATE admin.command SET record = 'other' WHERE answer IS NULL",
        "UPDATE admin.command SET operator = operator + 1 WHERE answer IS NULL",
        "UPDATE admin.command SET answer = 'other' WHERE answer IS NOT NULL",
    ):
        with pytest.raises(asyncpg.PostgresError, match="never rewritten"):
            await outbox.office.tell(sql)


async def test_finds_the_parts_of_a_file(outbox: Outbox) -> None:
    """Those whose names begin with its own and a slash, and no others."""
    names = {"a": "card-file/1/1", "b": "card-file/1/2", "c": "card-file/12/1", "d": "card-file/1"}
    for name, entity in names.items():
        await outbox.add(name, entity=entity)

    found = await outbox.store.of_file("card-file/1")
    assert ["card-file/1/1", "card-file/1/2"] == [row.entity for row in found]
