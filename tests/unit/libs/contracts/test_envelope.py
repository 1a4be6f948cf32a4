"""Envelopes: who waits, until when, and what caused what."""

from libs.contracts.envelope import first_envelope, next_envelope, read_envelope


def test_first_one_names_itself_as_its_cause() -> None:
    """A conversation has a beginning that can be told from everything else."""
    first = first_envelope(
        schema="lesko.v1.AuthorizeRequested", answer_topic="a", answer_partition=3, deadline_ms=9
    )

    assert first.message_id == first.causation_id
    assert len(first.message_id) == 16
    assert len(first.correlation_id) == 16
    assert first.correlation_id != first.message_id


def test_next_one_keeps_who_waits_and_names_its_cause() -> None:
    """The answer finds its way back over any number of hops."""
    first = first_envelope(schema="a", answer_topic="edge", answer_partition=3, deadline_ms=9)

    following = next_envelope(first, schema="lesko.v1.LedgerCommand")

    assert first.correlation_id == following.correlation_id
    assert first.message_id == following.causation_id
    assert first.message_id != following.message_id
    assert (following.answer_topic, following.answer_partition) == ("edge", 3)
    assert following.deadline_ms == 9
    assert following.schema == "lesko.v1.LedgerCommand"


def test_two_conversations_never_share_an_id() -> None:
    """Ids are random, not counted."""
    ids = {
        first_envelope(
            schema="a", answer_topic="", answer_partition=0, deadline_ms=0
        ).correlation_id
        for _ in range(1000)
    }

    assert len(ids) == 1000


def test_survives_the_wire() -> None:
    """What was packed is read back as it was."""
    first = first_envelope(schema="a", answer_topic="edge", answer_partition=3, deadline_ms=1 << 41)

    assert first == read_envelope(first.SerializeToString())
