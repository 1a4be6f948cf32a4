from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CardStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CARD_STATUS_UNSPECIFIED: _ClassVar[CardStatus]
    CARD_STATUS_INACTIVE: _ClassVar[CardStatus]
    CARD_STATUS_ACTIVE: _ClassVar[CardStatus]
    CARD_STATUS_BLOCKED: _ClassVar[CardStatus]
    CARD_STATUS_LOST: _ClassVar[CardStatus]
    CARD_STATUS_STOLEN: _ClassVar[CardStatus]
    CARD_STATUS_CLOSED: _ClassVar[CardStatus]

class CardResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CARD_RESULT_UNSPECIFIED: _ClassVar[CardResult]
    CARD_RESULT_DONE: _ClassVar[CardResult]
    CARD_RESULT_UNKNOWN_CARD: _ClassVar[CardResult]
    CARD_RESULT_WRONG_STATUS: _ClassVar[CardResult]
CARD_STATUS_UNSPECIFIED: CardStatus
CARD_STATUS_INACTIVE: CardStatus
CARD_STATUS_ACTIVE: CardStatus
CARD_STATUS_BLOCKED: CardStatus
CARD_STATUS_LOST: CardStatus
CARD_STATUS_STOLEN: CardStatus
CARD_STATUS_CLOSED: CardStatus
CARD_RESULT_UNSPECIFIED: CardResult
CARD_RESULT_DONE: CardResult
CARD_RESULT_UNKNOWN_CARD: CardResult
CARD_RESULT_WRONG_STATUS: CardResult

class NewCard(_message.Message):
    __slots__ = ("token", "sealed_pan", "masked", "product", "expiry", "ceiling_minor")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEALED_PAN_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CEILING_MINOR_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    sealed_pan: bytes
    masked: str
    product: str
    expiry: str
    ceiling_minor: int
    def __init__(self, token: _Optional[bytes] = ..., sealed_pan: _Optional[bytes] = ..., masked: _Optional[str] = ..., product: _Optional[str] = ..., expiry: _Optional[str] = ..., ceiling_minor: _Optional[int] = ...) -> None: ...

class ImportCards(_message.Message):
    __slots__ = ("cards",)
    CARDS_FIELD_NUMBER: _ClassVar[int]
    cards: _containers.RepeatedCompositeFieldContainer[NewCard]
    def __init__(self, cards: _Optional[_Iterable[_Union[NewCard, _Mapping]]] = ...) -> None: ...

class SetCardStatus(_message.Message):
    __slots__ = ("token", "status")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    status: CardStatus
    def __init__(self, token: _Optional[bytes] = ..., status: _Optional[_Union[CardStatus, str]] = ..., **kwargs) -> None: ...

class ShowCard(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    def __init__(self, token: _Optional[bytes] = ...) -> None: ...

class CardCommand(_message.Message):
    __slots__ = ("command_id", "import_cards", "set_status", "show")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_CARDS_FIELD_NUMBER: _ClassVar[int]
    SET_STATUS_FIELD_NUMBER: _ClassVar[int]
    SHOW_FIELD_NUMBER: _ClassVar[int]
    command_id: bytes
    import_cards: ImportCards
    set_status: SetCardStatus
    show: ShowCard
    def __init__(self, command_id: _Optional[bytes] = ..., import_cards: _Optional[_Union[ImportCards, _Mapping]] = ..., set_status: _Optional[_Union[SetCardStatus, _Mapping]] = ..., show: _Optional[_Union[ShowCard, _Mapping]] = ...) -> None: ...

class CardShown(_message.Message):
    __slots__ = ("token", "card", "wallet", "product", "status", "expiry", "masked")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    WALLET_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    card: int
    wallet: int
    product: str
    status: CardStatus
    expiry: str
    masked: str
    def __init__(self, token: _Optional[bytes] = ..., card: _Optional[int] = ..., wallet: _Optional[int] = ..., product: _Optional[str] = ..., status: _Optional[_Union[CardStatus, str]] = ..., expiry: _Optional[str] = ..., masked: _Optional[str] = ...) -> None: ...

class CardAnswer(_message.Message):
    __slots__ = ("command_id", "result", "card", "created", "known")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    command_id: bytes
    result: CardResult
    card: CardShown
    created: int
    known: int
    def __init__(self, command_id: _Optional[bytes] = ..., result: _Optional[_Union[CardResult, str]] = ..., card: _Optional[_Union[CardShown, _Mapping]] = ..., created: _Optional[int] = ..., known: _Optional[int] = ...) -> None: ...
