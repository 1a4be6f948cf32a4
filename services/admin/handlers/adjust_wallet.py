"""Carry out a manual adjustment: one posting for the ledger, kept in the outbox."""

from collections.abc import Callable, Mapping
from secrets import token_bytes
from typing import Final

from libs.clock import day_of
from libs.contracts.keys import wallet_partition
from libs.contracts.topics import COMMANDS, LEDGER_COMMAND
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.refusal import Refused
from services.admin.domain.wallet import adjustment_key, adjustment_record, read_adjustment
from services.admin.ports import Author, NewCommand, Work

_ID_BYTES: Final = 16


def _new_id() -> bytes:
    return token_bytes(_ID_BYTES)


class AdjustWallet:
    """The executor of ``wallet.adjust``. What the ledger says of it closes the command."""

    def __init__(
        self, partitions: int, today: Callable[[], int], new_id: Callable[[], bytes] = _new_id
    ) -> None:
        """``partitions`` of the ledger; ``today`` gives the business day, since 1970-01-01."""
        self._partitions = partitions
        self._today = today
        self._new_id = new_id

    async def target(self, work: Work, act: Act) -> Target | Refused:  # noqa: ARG002 -- of the port
        """Find nothing out: only the ledger knows a wallet, and says so in its answer."""
        found = read_adjustment(act)
        return found if isinstance(found, Refused) else Target()

    async def execute(
        self,
        work: Work,
        act: Act,
        target: Target,  # noqa: ARG002 -- of the port
        author: Author,
    ) -> Mapping[str, Json] | Refused:
        """Keep the command; its key is fixed here, so money moves once however often it is sent."""
        found = read_adjustment(act)
        if isinstance(found, Refused):
            return found
        command, day = self._new_id(), day_of(self._today())
        key = adjustment_key(day, command)
        partition = wallet_partition(found.wallet, self._partitions)
        record = adjustment_record(found, key=key, day=day, partition=partition)
        await work.commands.add(
            [
                NewCommand(
                    id=command,
                    topic=COMMANDS,
                    partition=partition,
                    key=key,
                    schema=LEDGER_COMMAND,
                    record=record.SerializeToString(),
                    action=act.action,
                    entity=act.entity,
                    reason=act.reason,
                    document=act.document,
                )
            ],
            operator=author.maker,
        )
        return {"command": command.hex()}
