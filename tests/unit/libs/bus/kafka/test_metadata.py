"""The request for topics and its answer on the wire, byte by byte as the protocol has them."""

from io import BytesIO
from uuid import UUID

from libs.bus import TopicInfo
from libs.bus.kafka.metadata import MetadataResponse, TopicsRequest, read_state

ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
NONE = bytes(16)


def a_topic(code: int, name: bytes, topic_id: bytes, partitions: int) -> bytes:
    one = (
        b"\0\0\0\0\0\x07\0\0\0\1\0\0\0\x05"  # No error, number 7, leader 1, leader epoch 5.
        b"\x02\0\0\0\1\x02\0\0\0\1\x01\0"  # One replica, one in sync, none offline, no tags.
    )
    head = code.to_bytes(2, "big") + bytes([len(name) + 1]) + name + topic_id + b"\0"
    return head + bytes([partitions + 1]) + one * partitions + b"\x80\0\0\0" + b"\0"


def an_answer(*topics: bytes) -> MetadataResponse:
    broker = b"\0\0\0\1" + b"\x05host" + (9092).to_bytes(4, "big") + b"\0" + b"\0"
    head = b"\0\0\0\0" + b"\x02" + broker + b"\x04abc" + b"\0\0\0\1"
    raw = head + bytes([len(topics) + 1]) + b"".join(topics) + b"\x80\0\0\0" + b"\0"
    answer: MetadataResponse = MetadataResponse.decode(BytesIO(raw))
    return answer


class TestTopicsRequest:
    def test_asks_by_name_and_makes_no_topic(self) -> None:
        """Version 10, flexible; no id, the name, and false three times."""
        struct = TopicsRequest(["a.b"]).prepare({3: (0, 13)})

        assert (10, True) == (struct.API_VERSION, struct.FLEXIBLE_VERSION)
        assert b"\x02" + NONE + b"\x04a.b" + b"\0" + b"\0\0\0" + b"\0" == struct.encode()

    def test_asks_for_none(self) -> None:
        """An empty list asks for no topic; a missing one would ask for all."""
        assert b"\x01\0\0\0\0" == TopicsRequest([]).prepare({3: (0, 13)}).encode()


class TestReadState:
    def test_reads_cluster_and_topics(self) -> None:
        """The id is the topic's own, the number of partitions what the broker counts."""
        state = read_state(an_answer(a_topic(0, b"a.b", ID.bytes, 3)))

        assert "abc" == state.cluster_id
        assert {"a.b": TopicInfo(ID.hex, 3)} == state.topics
        assert not state.unsure

    def test_tells_missing_from_unsure(self) -> None:
        """Only a broker that says so makes a topic unknown; an election or a refusal does not."""
        state = read_state(
            an_answer(
                a_topic(3, b"none", NONE, 0),
                a_topic(17, b"bad!", NONE, 0),
                a_topic(5, b"wait", ID.bytes, 0),
                a_topic(29, b"shut", NONE, 0),
            )
        )

        assert {} == state.topics
        assert {"wait", "shut"} == state.unsure
