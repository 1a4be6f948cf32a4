"""Carry out steps of cards: one command for authorization, kept in the outbox."""

from collections.abc import Callable, Mapping
from secrets import token_bytes
from typing import Final

from libs.contracts.keys import request_partition
from libs.contracts.topics import CARD_COMMAND, REQUESTS
from libs.registry.entities import EntityStatus, Product
from libs.registry.records import read_entry
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.card import Change, read_change, status_command
from services.admin.domain.product import in_force, status_of
from services.admin.domain.refusal import Refusal, Refused
from services.admin.ports import Author, NewCommand, RegistryWork, Work

_ID_BYTES: Final = 16
_SETS_MAX: Final = 1_000


def _new_id() -> bytes:
    return token_bytes(_ID_BYTES)


class CommandCards:
    """The executor of ``card``. What authorization says of it closes the command."""

    def __init__(
        self, partitions: int, today: Callable[[], int], new_id: Callable[[], bytes] = _new_id
    ) -> None:
        """``partitions`` of the requests topic; ``today`` is the business day since 1970-01-01."""
        self._partitions = partitions
        self._today = today
        self._new_id = new_id

    async def target(self, work: Work, act: Act) -> Target | Refused:
        """Refuse what cannot be; a card is everywhere and has no version."""
        change = read_change(act)
        if isinstance(change, Refused):
            return change
        return await self._refuse_product(work.registry, change) or Target()

    async def execute(
        self,
        work: Work,
        act: Act,
        target: Target,  # noqa: ARG002 -- of the port
        author: Author,
    ) -> Mapping[str, Json] | Refused:
        """Keep the command; its id is fixed here, so it is done once however often it is sent."""
        change = read_change(act)
        if isinstance(change, Refused):
            return change
        command = self._new_id()
        await work.commands.add(
            [
                NewCommand(
                    id=command,
                    topic=REQUESTS,
                    partition=request_partition(change.token, self._partitions),
                    key=change.token,
                    schema=CARD_COMMAND,
                    record=status_command(command, change).SerializeToString(),
                    action=act.action,
                    entity=act.entity,
                    reason=act.reason,
                    document=act.document,
                )
            ],
            operator=author.maker,
        )
        return {"command": command.hex()}

    async def _refuse_product(self, registry: RegistryWork, change: Change) -> Refused | None:
        """Return why a card of this product is not issued."""
        if not change.product:
            return None
        found = await product_in_force(registry, change.product, self._today())
        if found is not None:
            return None
        return Refused(Refusal.NOT_ALLOWED, f"Product {change.product} is not in force.")


async def product_in_force(registry: RegistryWork, code: str, today: int) -> Product | None:
    """Return the parameters of a product that cards may be made of and used with today."""
    changes = await registry.list(f"product/{code}", after="", rows_max=_SETS_MAX)
    sets = [one for one in map(read_entry, changes) if isinstance(one, Product)]
    if not sets or status_of(sets) is not EntityStatus.ACTIVE:
        return None
    return in_force(sets, today)
