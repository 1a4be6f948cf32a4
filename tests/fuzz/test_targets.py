"""What fuzzers have found holds, and what is nearly a message is read as pyiso8583 reads it."""

from collections import Counter

import pytest

from libs.iso8583 import Codec, load_dialect
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec
from tests.fuzz.corpus import read_corpus
from tests.fuzz.targets import TARGETS, changed_messages, disagreement
from tests.unit.services.iso_bridge.edge import EDC

MESSAGES = 20_000


@pytest.mark.parametrize("name", TARGETS)
def test_holds_on_all_that_was_kept(name: str) -> None:
    """Each input once more, without a fuzzer."""
    target = TARGETS[name]
    run, inputs = target.make(), [*target.seeds(), *read_corpus(name)]
    for one in inputs:
        run(one)

    assert len(inputs) > 10


def test_agrees_with_pyiso8583() -> None:
    """Whatever was changed: no value differs, and no message is taken by us alone."""
    dialect = load_dialect(EDC)
    codec, oracle = Codec(dialect), Pyiso8583Codec(dialect)
    found = Counter(
        disagreement(codec, oracle, message)
        for message in changed_messages(count=MESSAGES, seed=20_261_125)
    )

    assert 0 == found["ours"]
    assert found[""] > MESSAGES / 2
