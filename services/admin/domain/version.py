"""Which of several changes of one entity counts."""

from collections.abc import Iterable, Iterator, Mapping

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


def behind_published(
    published: Mapping[str, RegistryChange], ours: Mapping[str, RegistryChange]
) -> Iterator[RegistryChange]:
    """Yield the changes that bring ours up to what was published, by entity.

    What was published later than ours is taken over. Where both have one version and other words,
    ours gets the next version: it was made by somebody who did not know of the other.
    """
    for entity, theirs in published.items():
        known = ours.get(entity)
        if known is None or known.version < theirs.version:
            yield theirs
        elif known.version == theirs.version and _words(known) != _words(theirs):
            change = RegistryChange()
            change.CopyFrom(known)
            change.version += 1
            yield change


def _words(change: RegistryChange) -> bytes:
    """Return a change as this version knows it: another may add fields on the way."""
    plain = RegistryChange()
    plain.CopyFrom(change)
    plain.DiscardUnknownFields()
    return plain.SerializeToString(deterministic=True)
