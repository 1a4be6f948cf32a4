from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClaimStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLAIM_STAGE_UNSPECIFIED: _ClassVar[ClaimStage]
    CLAIM_STAGE_SEEKING: _ClassVar[ClaimStage]
    CLAIM_STAGE_HOLDING: _ClassVar[ClaimStage]
    CLAIM_STAGE_SERVING: _ClassVar[ClaimStage]
CLAIM_STAGE_UNSPECIFIED: ClaimStage
CLAIM_STAGE_SEEKING: ClaimStage
CLAIM_STAGE_HOLDING: ClaimStage
CLAIM_STAGE_SERVING: ClaimStage

class InstanceClaim(_message.Message):
    __slots__ = ("nonce", "stage", "holder")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    stage: ClaimStage
    holder: str
    def __init__(self, nonce: _Optional[bytes] = ..., stage: _Optional[_Union[ClaimStage, str]] = ..., holder: _Optional[str] = ...) -> None: ...
