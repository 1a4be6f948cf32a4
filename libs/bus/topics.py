"""Topics as data: what each is like, read from topics.toml; no bus is touched here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from libs.contracts.topics import dead_letters
from libs.outcome import Fault

_FIELDS: Final = {"partitions", "key", "retention_days", "compacted", "dead_letter_days"}


class TopicsInvalid(Fault):
    """The file of topics says something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """What a topic is made like; ``key`` is for readers of the file."""

    partitions: int
    key: str = ""
    retention_days: int = 30
    compacted: bool = False


def load_topics(path: Path) -> dict[str, TopicSettings]:
    """Read the topics of a file; a topic with ``dead_letter_days`` brings its dead letters along.

    Raises TopicsInvalid, which names the topic and the setting.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise TopicsInvalid(f"{path} cannot be read: {cause}") from cause
    topics: dict[str, TopicSettings] = {}
    for name, table in tables.items():
        topics[name] = _settings(name, table)
        if days := table.get("dead_letter_days"):
            dead = TopicSettings(
                partitions=topics[name].partitions, key=topics[name].key, retention_days=days
            )
            topics[dead_letters(name)] = dead
    return topics


def with_partitions(
    topics: Mapping[str, TopicSettings], partitions: Mapping[str, int]
) -> dict[str, TopicSettings]:
    """Return the topics with other numbers of partitions; dead letters follow their topic."""
    asked = {**partitions, **{dead_letters(name): n for name, n in partitions.items()}}
    return {
        name: replace(settings, partitions=asked.get(name, settings.partitions))
        for name, settings in topics.items()
    }


def _settings(name: str, table: Any) -> TopicSettings:
    if not isinstance(table, dict):
        raise TopicsInvalid(f'{name} is no table; write ["{name}"]')
    if unknown := sorted(table.keys() - _FIELDS):
        raise TopicsInvalid(f"{name}: unknown setting {', '.join(unknown)}")
    for field in ("partitions", "retention_days", "dead_letter_days"):
        value = table.get(field, None if field == "partitions" else 1)
        if type(value) is not int or value < 1:
            raise TopicsInvalid(f"{name}: {field} must be a whole number from 1 up")
    for field, kind in (("key", str), ("compacted", bool)):
        if not isinstance(table.get(field, kind()), kind):
            raise TopicsInvalid(f"{name}: {field} must be a {kind.__name__}")
    return TopicSettings(**{f: v for f, v in table.items() if f != "dead_letter_days"})
