"""Take over from the topic what a table that was restored does not know any more."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError

from libs.bus.port import Bus
from libs.bus.read_to_end import read_to_end
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.contracts.topics import REGISTRY
from libs.registry import PUBLISHED
from services.admin.domain.act import Act, Json
from services.admin.domain.version import behind_published, latest_changes
from services.admin.ports import RegistryWork, Transactions

RECOVER: Final = "registry.recover"
_PARTITION: Final = 0
_ENTITIES_NAMED: Final = 100
_PAGE: Final = 1_000


class CatchUpRegistry:
    """Bring the table up to what its readers follow already.

    A table never lags behind its topic, unless it was restored from a backup: then every reader
    would ignore its changes, because their versions are no higher. So it takes over what the topic
    has newer; what was changed here since, under a version that the topic has with other words,
    gets the next version. Idempotent; the audit names what was taken over, by nobody who signed in.
    """

    def __init__(self, transactions: Transactions, bus: Bus) -> None:
        self._transactions = transactions
        self._bus = bus

    async def __call__(self) -> int:
        """Return how many entities changed; raises StoreUnavailable and the reader's faults."""
        published = await self._read_topic()
        if not published:
            return 0
        async with self._transactions.begin() as work:
            await work.registry.hold()
            ours = await work.registry.find(published)
            changes = list(behind_published(published, ours))
            if not changes:
                return 0
            await work.registry.write(changes)
            numbers = {each.outlet.number for each in published.values() if each.HasField("outlet")}
            await work.registry.keep_outlet_numbers(max(numbers, default=0))
            moved = await _give_other_numbers(work.registry, published, numbers)
            named = sorted(each.entity for each in (*changes, *moved))
            content: dict[str, Json] = {
                "entities": len(named),
                "first": list(named[:_ENTITIES_NAMED]),
            }
            await work.audit.add(None, Act(RECOVER, "registry", content), "done", {})
            return len(named)

    async def _read_topic(self) -> Mapping[str, RegistryChange]:
        """Return the latest published change of each entity."""
        bounds = await self._bus.bounds(REGISTRY)
        starts = {_PARTITION: bounds[_PARTITION][0]}
        read = list[RegistryChange]()
        async for _, records in read_to_end(self._bus, REGISTRY, bounds, starts):
            for record in records:
                with suppress(DecodeError):  # Readers pass over it, too.
                    read.append(RegistryChange.FromString(record.value))
        return {each.entity: each for each in latest_changes(read) if each.entity != PUBLISHED}


async def _give_other_numbers(
    registry: RegistryWork, published: Mapping[str, RegistryChange], taken: set[int]
) -> Sequence[RegistryChange]:
    """Renumber outlets that nobody has heard of, where an outlet that was lost has their number.

    An outlet's number stands inside its account: no two may share one. What was never published
    has no account yet.
    """
    moved = []
    for change in [each async for each in _outlets(registry)]:
        if change.entity not in published and change.outlet.number in taken:
            change.outlet.number = await registry.outlet_numbers(1)
            change.version += 1
            moved.append(change)
    await registry.write(moved)
    return moved


async def _outlets(registry: RegistryWork) -> AsyncIterator[RegistryChange]:
    after = ""
    while page := await registry.list("outlet", after=after, rows_max=_PAGE):
        for change in page:
            yield change
        after = page[-1].entity
