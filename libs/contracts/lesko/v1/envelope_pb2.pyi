from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("message_id", "causation_id", "correlation_id", "answer_topic", "answer_partition", "deadline_ms", "trace_parent", "schema")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TOPIC_FIELD_NUMBER: _ClassVar[int]
    ANSWER_PARTITION_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    TRACE_PARENT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    causation_id: bytes
    correlation_id: bytes
    answer_topic: str
    answer_partition: int
    deadline_ms: int
    trace_parent: bytes
    schema: str
    def __init__(self, message_id: _Optional[bytes] = ..., causation_id: _Optional[bytes] = ..., correlation_id: _Optional[bytes] = ..., answer_topic: _Optional[str] = ..., answer_partition: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., trace_parent: _Optional[bytes] = ..., schema: _Optional[str] = ...) -> None: ...
