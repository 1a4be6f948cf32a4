from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    OPERATION_PURCHASE: _ClassVar[Operation]
    OPERATION_INQUIRY: _ClassVar[Operation]
    OPERATION_REVERSAL: _ClassVar[Operation]
OPERATION_UNSPECIFIED: Operation
OPERATION_PURCHASE: Operation
OPERATION_INQUIRY: Operation
OPERATION_REVERSAL: Operation

class GoodsLine(_message.Message):
    __slots__ = ("goods_class", "amount_minor")
    GOODS_CLASS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    goods_class: int
    amount_minor: int
    def __init__(self, goods_class: _Optional[int] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class Reference(_message.Message):
    __slots__ = ("key", "key_day", "card_token", "processing_code", "amount_minor", "currency", "outlet", "terminal", "stan", "rrn_sent", "listener", "received_ms")
    KEY_FIELD_NUMBER: _ClassVar[int]
    KEY_DAY_FIELD_NUMBER: _ClassVar[int]
    CARD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_CODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    OUTLET_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    STAN_FIELD_NUMBER: _ClassVar[int]
    RRN_SENT_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_MS_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    key_day: int
    card_token: bytes
    processing_code: int
    amount_minor: int
    currency: int
    outlet: str
    terminal: str
    stan: int
    rrn_sent: str
    listener: str
    received_ms: int
    def __init__(self, key: _Optional[bytes] = ..., key_day: _Optional[int] = ..., card_token: _Optional[bytes] = ..., processing_code: _Optional[int] = ..., amount_minor: _Optional[int] = ..., currency: _Optional[int] = ..., outlet: _Optional[str] = ..., terminal: _Optional[str] = ..., stan: _Optional[int] = ..., rrn_sent: _Optional[str] = ..., listener: _Optional[str] = ..., received_ms: _Optional[int] = ...) -> None: ...

class AuthorizeRequested(_message.Message):
    __slots__ = ("operation", "reference", "goods", "expiry", "entry_mode", "pin_present", "is_repeat", "refuse_new", "local_time")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    GOODS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_MODE_FIELD_NUMBER: _ClassVar[int]
    PIN_PRESENT_FIELD_NUMBER: _ClassVar[int]
    IS_REPEAT_FIELD_NUMBER: _ClassVar[int]
    REFUSE_NEW_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TIME_FIELD_NUMBER: _ClassVar[int]
    operation: Operation
    reference: Reference
    goods: _containers.RepeatedCompositeFieldContainer[GoodsLine]
    expiry: str
    entry_mode: int
    pin_present: bool
    is_repeat: bool
    refuse_new: int
    local_time: str
    def __init__(self, operation: _Optional[_Union[Operation, str]] = ..., reference: _Optional[_Union[Reference, _Mapping]] = ..., goods: _Optional[_Iterable[_Union[GoodsLine, _Mapping]]] = ..., expiry: _Optional[str] = ..., entry_mode: _Optional[int] = ..., pin_present: _Optional[bool] = ..., is_repeat: _Optional[bool] = ..., refuse_new: _Optional[int] = ..., local_time: _Optional[str] = ...) -> None: ...
