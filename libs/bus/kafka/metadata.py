"""The one request that aiokafka lacks: what cluster is this, and what topics by their ids.

Metadata version 10 (Kafka 2.8 and later) is the first whose answer has the ids of topics.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from libs.bus.port import TopicInfo

_API_KEY: Final = 3
_API_VERSION: Final = 10
_NO_ERROR: Final = 0
_UNKNOWN: Final = {3, 17}  # Not there; a name that no topic can have.
_NO_ID: Final = UUID(int=0)


class ClusterState(NamedTuple):
    """What a broker says: topics that exist, and those asked for that it cannot tell of now."""

    cluster_id: str
    topics: dict[str, TopicInfo]
    unsure: frozenset[str]


class Uuid:
    """The 16 bytes of an id on the wire."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        """Return the bytes."""
        return value.bytes

    @classmethod
    def decode(cls, data: Any) -> UUID:
        """Read the bytes."""
        return UUID(bytes=data.read(16))

    @classmethod
    def repr(cls, value: UUID) -> str:
        """Return a text, as aiokafka's types do."""
        return str(value)


class MetadataResponse(Response):  # type: ignore[misc]  # -- aiokafka is untyped
    """Version 10."""

    API_KEY: ClassVar[int] = _API_KEY
    API_VERSION: ClassVar[int] = _API_VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class MetadataRequestStruct(RequestStruct):  # type: ignore[misc]  # -- as above
    """Version 10."""

    API_KEY: ClassVar[int] = _API_KEY
    API_VERSION: ClassVar[int] = _API_VERSION
    FLEXIBLE_VERSION: ClassVar[bool] = True
    RESPONSE_TYPE = MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicsRequest(Request[MetadataRequestStruct]):  # type: ignore[misc]  # -- as above
    """Asks for some topics; never makes one."""

    API_KEY: ClassVar[int] = _API_KEY

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics: list[tuple[UUID, str, dict[int, bytes]]] = [
            (_NO_ID, name, {}) for name in topics
        ]

    def build(self, request_struct_class: type[MetadataRequestStruct]) -> MetadataRequestStruct:
        """Return what goes on the wire."""
        return request_struct_class(self._topics, False, False, False, {})  # noqa: FBT003 -- positional


def read_state(response: Struct) -> ClusterState:
    """Return what an answer says; a topic with an error other than unknown is unsure."""
    topics: dict[str, TopicInfo] = {}
    unsure: set[str] = set()
    for error_code, name, topic_id, _, partitions, *_ in response.topics:
        if error_code == _NO_ERROR and topic_id != _NO_ID:
            topics[name] = TopicInfo(topic_id.hex, len(partitions))
        elif error_code not in _UNKNOWN:
            unsure.add(name)
    return ClusterState(response.cluster_id or "", topics, frozenset(unsure))
