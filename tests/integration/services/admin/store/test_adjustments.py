"""Manual adjustments as the outbox keeps them, for statements."""

from datetime import date

import pytest

from libs.contracts.topics import COMMANDS, LEDGER_COMMAND
from services.admin.domain.role import Role
from services.admin.domain.wallet import ADJUST, wallet_entity
from services.admin.ports import NewCommand
from services.admin.store.adjustments import AdjustmentStore
from tests.integration.services.admin.approvals import MakeDatabase, open_office

pytestmark = pytest.mark.postgres

WALLET = 7


async def test_stand_under_the_day_of_the_business(make_database: MakeDatabase) -> None:
    """What was decided in the morning in Papua is not shown under the day before."""
    async with open_office(make_database) as office:
        maker = await office.person("ani", Role.FINANCE)
        command = NewCommand(
            b"i" * 16, COMMANDS, 0, b"key", LEDGER_COMMAND, b"record", ADJUST,
            wallet_entity(WALLET), "wrong price", "KW-1",
        )  # fmt: skip
        async with office.transactions.begin() as work:
            await work.commands.add([command], operator=maker.operator)
        await office.tell("UPDATE admin.command SET made_at = '2026-11-24 22:30+00'")
        [adjusted] = await AdjustmentStore(office.pool, "Asia/Jayapura").latest(WALLET, rows_max=9)

    assert date(2026, 11, 25) == adjusted.made_on
