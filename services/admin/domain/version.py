"""Which of several changes of one entity counts."""

from collections.abc import Iterable

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange


def latest_changes(changes: Iterable[RegistryChange]) -> list[RegistryChange]:
    """Return one change for each entity, the one of the highest version, entities as they came.

    Of two changes with the same version the first one counts, as it does for every reader.
    """
    latest: dict[str, RegistryChange] = {}
    for change in changes:
        known = latest.get(change.entity)
        if known is None or known.version < change.version:
            latest[change.entity] = change
    return list(latest.values())
