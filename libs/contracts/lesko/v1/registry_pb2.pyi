from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EntityStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTITY_STATUS_UNSPECIFIED: _ClassVar[EntityStatus]
    ENTITY_STATUS_ACTIVE: _ClassVar[EntityStatus]
    ENTITY_STATUS_PAUSED: _ClassVar[EntityStatus]
    ENTITY_STATUS_CLOSED: _ClassVar[EntityStatus]
ENTITY_STATUS_UNSPECIFIED: EntityStatus
ENTITY_STATUS_ACTIVE: EntityStatus
ENTITY_STATUS_PAUSED: EntityStatus
ENTITY_STATUS_CLOSED: EntityStatus

class Outlet(_message.Message):
    __slots__ = ("code", "number", "name", "groups", "region")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    code: str
    number: int
    name: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    region: str
    def __init__(self, code: _Optional[str] = ..., number: _Optional[int] = ..., name: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., region: _Optional[str] = ...) -> None: ...

class OutletGroup(_message.Message):
    __slots__ = ("code", "name")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Terminal(_message.Message):
    __slots__ = ("code", "outlet", "listener", "has_mac_key", "may_omit_mac", "groups")
    CODE_FIELD_NUMBER: _ClassVar[int]
    OUTLET_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    HAS_MAC_KEY_FIELD_NUMBER: _ClassVar[int]
    MAY_OMIT_MAC_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    code: str
    outlet: str
    listener: str
    has_mac_key: bool
    may_omit_mac: bool
    groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[str] = ..., outlet: _Optional[str] = ..., listener: _Optional[str] = ..., has_mac_key: _Optional[bool] = ..., may_omit_mac: _Optional[bool] = ..., groups: _Optional[_Iterable[str]] = ...) -> None: ...

class Product(_message.Message):
    __slots__ = ("code", "currency", "ceiling_minor", "purchase_max_minor", "day_amount_minor", "day_count", "month_amount_minor", "month_count", "asks_pin", "pin_above_minor", "outlet_groups", "in_force_from")
    CODE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CEILING_MINOR_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_MAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    DAY_AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    MONTH_AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    MONTH_COUNT_FIELD_NUMBER: _ClassVar[int]
    ASKS_PIN_FIELD_NUMBER: _ClassVar[int]
    PIN_ABOVE_MINOR_FIELD_NUMBER: _ClassVar[int]
    OUTLET_GROUPS_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FROM_FIELD_NUMBER: _ClassVar[int]
    code: str
    currency: int
    ceiling_minor: int
    purchase_max_minor: int
    day_amount_minor: int
    day_count: int
    month_amount_minor: int
    month_count: int
    asks_pin: bool
    pin_above_minor: int
    outlet_groups: _containers.RepeatedScalarFieldContainer[str]
    in_force_from: int
    def __init__(self, code: _Optional[str] = ..., currency: _Optional[int] = ..., ceiling_minor: _Optional[int] = ..., purchase_max_minor: _Optional[int] = ..., day_amount_minor: _Optional[int] = ..., day_count: _Optional[int] = ..., month_amount_minor: _Optional[int] = ..., month_count: _Optional[int] = ..., asks_pin: _Optional[bool] = ..., pin_above_minor: _Optional[int] = ..., outlet_groups: _Optional[_Iterable[str]] = ..., in_force_from: _Optional[int] = ...) -> None: ...

class Programme(_message.Message):
    __slots__ = ("number", "name", "outlet_groups", "goods_classes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTLET_GROUPS_FIELD_NUMBER: _ClassVar[int]
    GOODS_CLASSES_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    outlet_groups: _containers.RepeatedScalarFieldContainer[str]
    goods_classes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ..., outlet_groups: _Optional[_Iterable[str]] = ..., goods_classes: _Optional[_Iterable[int]] = ...) -> None: ...

class RegistryPublished(_message.Message):
    __slots__ = ("log", "entities")
    LOG_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    log: str
    entities: int
    def __init__(self, log: _Optional[str] = ..., entities: _Optional[int] = ...) -> None: ...

class RegistryChange(_message.Message):
    __slots__ = ("entity", "version", "status", "changed_ms", "outlet", "terminal", "product", "programme", "published", "outlet_group")
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_MS_FIELD_NUMBER: _ClassVar[int]
    OUTLET_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    OUTLET_GROUP_FIELD_NUMBER: _ClassVar[int]
    entity: str
    version: int
    status: EntityStatus
    changed_ms: int
    outlet: Outlet
    terminal: Terminal
    product: Product
    programme: Programme
    published: RegistryPublished
    outlet_group: OutletGroup
    def __init__(self, entity: _Optional[str] = ..., version: _Optional[int] = ..., status: _Optional[_Union[EntityStatus, str]] = ..., changed_ms: _Optional[int] = ..., outlet: _Optional[_Union[Outlet, _Mapping]] = ..., terminal: _Optional[_Union[Terminal, _Mapping]] = ..., product: _Optional[_Union[Product, _Mapping]] = ..., programme: _Optional[_Union[Programme, _Mapping]] = ..., published: _Optional[_Union[RegistryPublished, _Mapping]] = ..., outlet_group: _Optional[_Union[OutletGroup, _Mapping]] = ...) -> None: ...
