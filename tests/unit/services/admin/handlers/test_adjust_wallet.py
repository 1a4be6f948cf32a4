"""An adjustment is kept as one command of the ledger, whose key never changes."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from libs.clock import day_number
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.contracts.topics import COMMANDS, LEDGER_COMMAND
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.permission import RULES
from services.admin.domain.refusal import Refused
from services.admin.domain.wallet import adjustment_key
from services.admin.handlers.adjust_wallet import AdjustWallet
from services.admin.ports import Author, NewCommand

DAY = date(2026, 11, 24)
COMMAND = b"c" * 16
CONTENT: dict[str, Json] = {"purse": 0, "amount_minor": 500, "direction": "credit"}
ACT = Act("wallet.adjust", "wallet/13", CONTENT, "Selisih kas", "BA-17")


class Outbox:
    """Keeps commands."""

    def __init__(self) -> None:
        self.kept: list[NewCommand] = []
        self.operators: list[int] = []

    async def add(self, commands: Sequence[NewCommand], *, operator: int) -> None:
        """Keep them."""
        self.kept.extend(commands)
        self.operators.append(operator)


class OneWork:
    """A transaction with nothing but an outbox."""

    def __init__(self) -> None:
        self.commands: Any = Outbox()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def an_executor() -> AdjustWallet:
    """An executor of a fixed day and command id."""
    return AdjustWallet(8, lambda: day_number(DAY), lambda: COMMAND)


class TestAdjustWallet:
    async def test_keeps_one_command_for_the_wallets_partition(self) -> None:
        """With all that its sender, its audit and the statement need."""
        work = OneWork()
        result = await an_executor().execute(work, ACT, Target(), Author(4, "ani", 5, "budi"))
        (kept,) = work.commands.kept

        assert {"command": COMMAND.hex()} == result
        assert (COMMAND, COMMANDS, 5, LEDGER_COMMAND) == (
            kept.id,
            kept.topic,
            kept.partition,
            kept.schema,
        )
        assert ("wallet.adjust", "wallet/13", "Selisih kas", "BA-17") == (
            kept.action,
            kept.entity,
            kept.reason,
            kept.document,
        )
        assert [4] == work.commands.operators

    async def test_fixes_the_key_in_the_record(self) -> None:
        """The day on which it was decided and its command id: what is sent again is the same."""
        work = OneWork()
        await an_executor().execute(work, ACT, Target(), Author(4, "ani", 5, "budi"))
        (kept,) = work.commands.kept
        command = LedgerCommand.FromString(kept.record)

        assert adjustment_key(DAY, COMMAND) == command.reference.key == kept.key
        assert day_number(DAY) == command.reference.key_day

    async def test_keeps_nothing_of_what_cannot_be(self) -> None:
        """Neither as a target for a proposal nor when it is carried out."""
        work, wrong = OneWork(), ACT._replace(content={**CONTENT, "purse": 9})

        assert isinstance(await an_executor().target(work, wrong), Refused)
        assert isinstance(
            await an_executor().execute(work, wrong, Target(), Author(4, "ani")), Refused
        )
        assert [] == work.commands.kept

    async def test_gives_every_command_its_own_id(self) -> None:
        """Two equal adjustments are two."""
        work, executor = OneWork(), AdjustWallet(8, lambda: day_number(DAY))
        for _ in range(2):
            await executor.execute(work, ACT, Target(), Author(4, "ani"))

        assert 2 == len({one.id for one in work.commands.kept})

    @pytest.mark.parametrize("action", ["wallet.adjust"])
    def test_needs_two_people(self, action: str) -> None:
        """Whoever proposes an adjustment never carries it out alone."""
        assert RULES[action].two_people
