from libs.contracts.lesko.v1 import authorization_pb2 as _authorization_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DebitLine(_message.Message):
    __slots__ = ("goods_class", "amount_minor", "purses")
    GOODS_CLASS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    PURSES_FIELD_NUMBER: _ClassVar[int]
    goods_class: int
    amount_minor: int
    purses: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, goods_class: _Optional[int] = ..., amount_minor: _Optional[int] = ..., purses: _Optional[_Iterable[int]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("day_amount_minor", "day_count", "month_amount_minor", "month_count")
    DAY_AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    MONTH_AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    MONTH_COUNT_FIELD_NUMBER: _ClassVar[int]
    day_amount_minor: int
    day_count: int
    month_amount_minor: int
    month_count: int
    def __init__(self, day_amount_minor: _Optional[int] = ..., day_count: _Optional[int] = ..., month_amount_minor: _Optional[int] = ..., month_count: _Optional[int] = ...) -> None: ...

class Purchase(_message.Message):
    __slots__ = ("lines", "credit", "limits")
    LINES_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[DebitLine]
    credit: int
    limits: Limits
    def __init__(self, lines: _Optional[_Iterable[_Union[DebitLine, _Mapping]]] = ..., credit: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class Reversal(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Inquiry(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Posting(_message.Message):
    __slots__ = ("kind", "legs")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    kind: int
    legs: _containers.RepeatedCompositeFieldContainer[PostingLeg]
    def __init__(self, kind: _Optional[int] = ..., legs: _Optional[_Iterable[_Union[PostingLeg, _Mapping]]] = ...) -> None: ...

class PostingLeg(_message.Message):
    __slots__ = ("debit", "credit", "amount_minor")
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    debit: int
    credit: int
    amount_minor: int
    def __init__(self, debit: _Optional[int] = ..., credit: _Optional[int] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class Resend(_message.Message):
    __slots__ = ("first_batch_no", "last_batch_no")
    FIRST_BATCH_NO_FIELD_NUMBER: _ClassVar[int]
    LAST_BATCH_NO_FIELD_NUMBER: _ClassVar[int]
    first_batch_no: int
    last_batch_no: int
    def __init__(self, first_batch_no: _Optional[int] = ..., last_batch_no: _Optional[int] = ...) -> None: ...

class OpenAccounts(_message.Message):
    __slots__ = ("accounts",)
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountTerms]
    def __init__(self, accounts: _Optional[_Iterable[_Union[AccountTerms, _Mapping]]] = ...) -> None: ...

class AccountTerms(_message.Message):
    __slots__ = ("number", "ceiling_minor", "valid_until", "programme")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CEILING_MINOR_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    number: int
    ceiling_minor: int
    valid_until: int
    programme: int
    def __init__(self, number: _Optional[int] = ..., ceiling_minor: _Optional[int] = ..., valid_until: _Optional[int] = ..., programme: _Optional[int] = ...) -> None: ...

class MovementsAsked(_message.Message):
    __slots__ = ("first_day", "last_day", "after", "rows_max")
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ROWS_MAX_FIELD_NUMBER: _ClassVar[int]
    first_day: int
    last_day: int
    after: int
    rows_max: int
    def __init__(self, first_day: _Optional[int] = ..., last_day: _Optional[int] = ..., after: _Optional[int] = ..., rows_max: _Optional[int] = ...) -> None: ...

class LedgerCommand(_message.Message):
    __slots__ = ("reference", "wallet", "card", "accounts", "verdict", "refuse_new", "is_repeat", "purchase", "reversal", "inquiry", "posting", "resend", "open_accounts", "movements")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    WALLET_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REFUSE_NEW_FIELD_NUMBER: _ClassVar[int]
    IS_REPEAT_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_FIELD_NUMBER: _ClassVar[int]
    REVERSAL_FIELD_NUMBER: _ClassVar[int]
    INQUIRY_FIELD_NUMBER: _ClassVar[int]
    POSTING_FIELD_NUMBER: _ClassVar[int]
    RESEND_FIELD_NUMBER: _ClassVar[int]
    OPEN_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    reference: _authorization_pb2.Reference
    wallet: int
    card: int
    accounts: _containers.RepeatedScalarFieldContainer[int]
    verdict: int
    refuse_new: int
    is_repeat: bool
    purchase: Purchase
    reversal: Reversal
    inquiry: Inquiry
    posting: Posting
    resend: Resend
    open_accounts: OpenAccounts
    movements: MovementsAsked
    def __init__(self, reference: _Optional[_Union[_authorization_pb2.Reference, _Mapping]] = ..., wallet: _Optional[int] = ..., card: _Optional[int] = ..., accounts: _Optional[_Iterable[int]] = ..., verdict: _Optional[int] = ..., refuse_new: _Optional[int] = ..., is_repeat: _Optional[bool] = ..., purchase: _Optional[_Union[Purchase, _Mapping]] = ..., reversal: _Optional[_Union[Reversal, _Mapping]] = ..., inquiry: _Optional[_Union[Inquiry, _Mapping]] = ..., posting: _Optional[_Union[Posting, _Mapping]] = ..., resend: _Optional[_Union[Resend, _Mapping]] = ..., open_accounts: _Optional[_Union[OpenAccounts, _Mapping]] = ..., movements: _Optional[_Union[MovementsAsked, _Mapping]] = ...) -> None: ...

class WalletMovements(_message.Message):
    __slots__ = ("wallet", "opening", "closing", "movements", "has_more", "correlation_id")
    WALLET_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    wallet: int
    opening: _containers.RepeatedCompositeFieldContainer[PurseAmount]
    closing: _containers.RepeatedCompositeFieldContainer[PurseAmount]
    movements: _containers.RepeatedCompositeFieldContainer[Transfer]
    has_more: bool
    correlation_id: bytes
    def __init__(self, wallet: _Optional[int] = ..., opening: _Optional[_Iterable[_Union[PurseAmount, _Mapping]]] = ..., closing: _Optional[_Iterable[_Union[PurseAmount, _Mapping]]] = ..., movements: _Optional[_Iterable[_Union[Transfer, _Mapping]]] = ..., has_more: _Optional[bool] = ..., correlation_id: _Optional[bytes] = ...) -> None: ...

class PurseAmount(_message.Message):
    __slots__ = ("account", "programme", "amount_minor")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    account: int
    programme: int
    amount_minor: int
    def __init__(self, account: _Optional[int] = ..., programme: _Optional[int] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class LedgerAnswer(_message.Message):
    __slots__ = ("outcome", "key", "transfer", "rrn", "approval_code", "balances", "paid", "is_replay", "booked_on")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    RRN_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_CODE_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    BOOKED_ON_FIELD_NUMBER: _ClassVar[int]
    outcome: int
    key: bytes
    transfer: int
    rrn: str
    approval_code: str
    balances: _containers.RepeatedCompositeFieldContainer[PurseAmount]
    paid: _containers.RepeatedCompositeFieldContainer[PurseAmount]
    is_replay: bool
    booked_on: int
    def __init__(self, outcome: _Optional[int] = ..., key: _Optional[bytes] = ..., transfer: _Optional[int] = ..., rrn: _Optional[str] = ..., approval_code: _Optional[str] = ..., balances: _Optional[_Iterable[_Union[PurseAmount, _Mapping]]] = ..., paid: _Optional[_Iterable[_Union[PurseAmount, _Mapping]]] = ..., is_replay: _Optional[bool] = ..., booked_on: _Optional[int] = ...) -> None: ...

class Transfer(_message.Message):
    __slots__ = ("id", "key_day", "key", "leg", "kind", "outcome", "debit", "credit", "amount_minor", "debit_after", "credit_after", "debit_seq", "ref", "booked_on", "asked_minor", "wallet", "card", "card_token", "processing_code", "goods_class", "outlet", "terminal", "stan", "rrn_sent", "flags")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_DAY_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    DEBIT_AFTER_FIELD_NUMBER: _ClassVar[int]
    CREDIT_AFTER_FIELD_NUMBER: _ClassVar[int]
    DEBIT_SEQ_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    BOOKED_ON_FIELD_NUMBER: _ClassVar[int]
    ASKED_MINOR_FIELD_NUMBER: _ClassVar[int]
    WALLET_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    CARD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_CODE_FIELD_NUMBER: _ClassVar[int]
    GOODS_CLASS_FIELD_NUMBER: _ClassVar[int]
    OUTLET_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    STAN_FIELD_NUMBER: _ClassVar[int]
    RRN_SENT_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    id: int
    key_day: int
    key: bytes
    leg: int
    kind: int
    outcome: int
    debit: int
    credit: int
    amount_minor: int
    debit_after: int
    credit_after: int
    debit_seq: int
    ref: int
    booked_on: int
    asked_minor: int
    wallet: int
    card: int
    card_token: bytes
    processing_code: int
    goods_class: int
    outlet: str
    terminal: str
    stan: int
    rrn_sent: str
    flags: int
    def __init__(self, id: _Optional[int] = ..., key_day: _Optional[int] = ..., key: _Optional[bytes] = ..., leg: _Optional[int] = ..., kind: _Optional[int] = ..., outcome: _Optional[int] = ..., debit: _Optional[int] = ..., credit: _Optional[int] = ..., amount_minor: _Optional[int] = ..., debit_after: _Optional[int] = ..., credit_after: _Optional[int] = ..., debit_seq: _Optional[int] = ..., ref: _Optional[int] = ..., booked_on: _Optional[int] = ..., asked_minor: _Optional[int] = ..., wallet: _Optional[int] = ..., card: _Optional[int] = ..., card_token: _Optional[bytes] = ..., processing_code: _Optional[int] = ..., goods_class: _Optional[int] = ..., outlet: _Optional[str] = ..., terminal: _Optional[str] = ..., stan: _Optional[int] = ..., rrn_sent: _Optional[str] = ..., flags: _Optional[int] = ...) -> None: ...

class LedgerEntries(_message.Message):
    __slots__ = ("incarnation", "partition", "batch_no", "previous_hash", "hash", "at_ms", "transfers", "epoch", "source_offset")
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    BATCH_NO_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    incarnation: int
    partition: int
    batch_no: int
    previous_hash: bytes
    hash: bytes
    at_ms: int
    transfers: _containers.RepeatedCompositeFieldContainer[Transfer]
    epoch: int
    source_offset: int
    def __init__(self, incarnation: _Optional[int] = ..., partition: _Optional[int] = ..., batch_no: _Optional[int] = ..., previous_hash: _Optional[bytes] = ..., hash: _Optional[bytes] = ..., at_ms: _Optional[int] = ..., transfers: _Optional[_Iterable[_Union[Transfer, _Mapping]]] = ..., epoch: _Optional[int] = ..., source_offset: _Optional[int] = ...) -> None: ...
