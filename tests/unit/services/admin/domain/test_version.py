"""Versions of one entity: the highest counts."""

from libs.fakes.registry import a_terminal
from libs.registry import write_change
from services.admin.domain.version import latest_changes


def test_keeps_the_highest_version_of_each_entity() -> None:
    """Whatever the order, one change of each entity is left, entities as they came."""
    changes = [
        write_change(a_terminal(number), version=version, changed_ms=0)
        for number, version in ((2, 1), (1, 5), (2, 3), (1, 4), (2, 2))
    ]

    assert [changes[2], changes[1]] == latest_changes(changes)


def test_keeps_the_first_of_equal_versions() -> None:
    """A second record under the same version is ignored, as every reader does."""
    first = write_change(a_terminal(1), version=1, changed_ms=1)
    second = write_change(a_terminal(1, listener="other"), version=1, changed_ms=2)

    assert [first] == latest_changes([first, second])
