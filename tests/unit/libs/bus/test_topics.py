"""Topics as data: the file in deploy, and what is refused in one."""

from pathlib import Path

import pytest

from libs.bus import TopicSettings, TopicsInvalid, load_topics, with_partitions
from libs.contracts import topics as names

FILE = Path(__file__).parents[4] / "deploy" / "kafka" / "topics.toml"


class TestLoadTopics:
    def test_reads_every_topic_of_the_switch(self) -> None:
        """Each name that the code publishes to is in the file, with dead letters where due."""
        topics = load_topics(FILE)

        written = {names.REQUESTS, names.COMMANDS, names.ENTRIES}
        assert (
            written
            | {names.dead_letters(name) for name in written}
            | {names.BRIDGE_ANSWERS, names.ADMIN_ANSWERS, names.REGISTRY}
        ) == topics.keys()
        assert topics[names.REGISTRY].compacted
        assert 1 == topics[names.REGISTRY].partitions

    def test_keeps_money_for_thirty_days(self) -> None:
        """Requests, commands and entries can be replayed for as long as DESIGN 3 says."""
        topics = load_topics(FILE)

        for name in (names.REQUESTS, names.COMMANDS, names.ENTRIES):
            assert 30 <= topics[name].retention_days
            assert topics[name].partitions == topics[names.dead_letters(name)].partitions

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("a = 1", "a is no table"),
            ('["a.b.v1"]', "a.b.v1: partitions"),
            ('["a.b.v1"]\npartitions = 0', "a.b.v1: partitions"),
            ('["a.b.v1"]\npartitions = true', "a.b.v1: partitions"),
            ('["a.b.v1"]\npartitions = 1\nretention_days = "x"', "a.b.v1: retention_days"),
            ('["a.b.v1"]\npartitions = 1\ncompacted = 1', "a.b.v1: compacted"),
            ('["a.b.v1"]\npartitions = 1\nkey = 1', "a.b.v1: key"),
            ('["a.b.v1"]\npartitions = 1\ncolour = 1', "a.b.v1: unknown setting colour"),
            ("[", "cannot be read"),
        ],
    )
    def test_names_what_is_wrong(self, tmp_path: Path, text: str, sentence: str) -> None:
        """A wrong file is refused with the topic and the setting in the sentence."""
        path = tmp_path / "topics.toml"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(TopicsInvalid, match=sentence):
            load_topics(path)

    def test_says_that_a_file_is_missing(self, tmp_path: Path) -> None:
        """The path stands in the sentence."""
        with pytest.raises(TopicsInvalid, match=r"none\.toml"):
            load_topics(tmp_path / "none.toml")


def test_changes_partitions_with_those_of_the_dead_letters() -> None:
    """A topic and its dead letters change together; others stay."""
    topics = {
        "a.b.v1": TopicSettings(partitions=8, key="x"),
        "a.b.v1.dead.v1": TopicSettings(partitions=8),
        "c.d.v1": TopicSettings(partitions=8),
    }

    changed = with_partitions(topics, {"a.b.v1": 2})

    assert TopicSettings(partitions=2, key="x") == changed["a.b.v1"]
    assert [2, 8] == [changed[name].partitions for name in ("a.b.v1.dead.v1", "c.d.v1")]
