"""Step 1 of edc.md: is this a message that the switch serves, and well formed? Pure.

Whether terminal, card and money exist, and whether a MAC is right, is decided elsewhere.
"""

from typing import Final, NamedTuple

from libs.iso8583.amounts import parse_goods
from libs.iso8583.dialect import Dialect
from libs.iso8583.message import Message
from libs.iso8583.message_spec import Kind, Messages, MessageSpec, NetworkAction
from libs.iso8583.sensitive import Pan, Track2
from libs.outcome import Outcome

_PAN: Final = 2
_PROCESSING: Final = 3
_AMOUNT: Final = 4
_TRACK2: Final = 35
_PRIVATE: Final = 48
_CURRENCY: Final = 49
_NETWORK_CODE: Final = 70
_MAC: Final = 64
_SECOND_MAC: Final = 128


Goods = tuple[tuple[int, int], ...]
"""Class and minor units of each line."""


class Form(NamedTuple):
    """What step 1 found. ``outcome`` is None for a message that may go on."""

    kind: Kind  # UNKNOWN when message type or processing code belong to no column.
    spec: MessageSpec  # The column that it was judged by and whose E fields an answer echoes.
    outcome: Outcome | None
    card: Pan | None = None  # There whenever a money message may go on.
    amount_minor: int = 0
    goods: Goods = ()  # The rest of DE4 is class 0.
    network: NetworkAction | None = None


def check_form(message: Message, dialect: Dialect) -> Form:
    """Judge one message by the dialect's columns: 30 before 12 before 13 (edc.md)."""
    known, spec = _column(message, dialect.messages)
    kind = spec.kind if known else Kind.UNKNOWN
    if not _is_complete(message, spec):
        return Form(kind, spec, Outcome.FORMAT_ERROR)
    fields = message.fields
    card: Pan | None = None
    goods: Goods = ()
    amount = fields.get(_AMOUNT)
    amount_minor = int(amount) if isinstance(amount, str) else 0
    if spec.one_of:
        card, agree = _card(message)
        if not agree:
            return Form(kind, spec, Outcome.FORMAT_ERROR)
    if known and spec.reads_goods and _PRIVATE in fields:
        lines = _goods(message, amount_minor)
        if lines is None:
            return Form(kind, spec, Outcome.FORMAT_ERROR)
        goods = lines
    if not known or fields.get(_CURRENCY, spec.currency) != spec.currency != "":
        return Form(kind, spec, Outcome.FUNCTION_UNSUPPORTED)
    if spec.network is not None:
        action = _action(message, spec)
        refused = None if action is not None else Outcome.FUNCTION_UNSUPPORTED
        return Form(kind, spec, refused, network=action)
    if spec.amount == "positive" and amount_minor == 0:
        return Form(kind, spec, Outcome.AMOUNT_INVALID)
    return Form(kind, spec, None, card, amount_minor, goods)


def has_two_macs(message: Message) -> bool:
    """Tell whether DE64 and DE128 are both there: 30 from a terminal that has a key."""
    return _MAC in message.fields and _SECOND_MAC in message.fields


def mac_field(message: Message) -> int:
    """Return which field carries the MAC: 128 when there is a second bitmap, else 64."""
    return _SECOND_MAC if message.has_second_bitmap else _MAC


def _column(message: Message, messages: Messages) -> tuple[bool, MessageSpec]:
    """Return whether the message is served, and the column to judge it by."""
    mti = message.mti
    spec = messages.by_mti.get(mti)
    if spec is not None:
        return True, spec
    processing = message.fields.get(_PROCESSING)
    if isinstance(processing, str):
        spec = messages.by_code.get((mti, processing[:2]))
        if spec is not None:
            return True, spec
    return False, messages.fallback.get(mti, messages.otherwise)


def _is_complete(message: Message, spec: MessageSpec) -> bool:
    """Nothing broken, nothing mandatory missing, nothing misformed that the message lists."""
    if message.broken is not None:
        return False
    present = message.fields.keys()
    if not present >= spec.mandatory or (spec.one_of and spec.one_of.isdisjoint(present)):
        return False
    return not message.misformed or spec.judged.isdisjoint(message.misformed)


def _card(message: Message) -> tuple[Pan | None, bool]:
    """Return the card of DE2 or DE35, and whether both, when both are there, name one."""
    pan = message.fields.get(_PAN)
    track = message.fields.get(_TRACK2)
    named = track.pan() if isinstance(track, Track2) else None
    if not isinstance(pan, Pan):
        return named, True
    return pan, named is None or named == pan


def _goods(message: Message, amount_minor: int) -> Goods | None:
    """Return the goods lines; None when DE48 is malformed or they sum to more than DE4."""
    text = message.fields[_PRIVATE]
    goods = parse_goods(text) if isinstance(text, str) else None
    if goods is None or sum(amount for _, amount in goods) > amount_minor:
        return None
    return goods


def _action(message: Message, spec: MessageSpec) -> NetworkAction | None:
    """Return what an 0800 asks for; None when DE3 or DE70 say something that nobody serves."""
    codes = spec.network
    assert codes is not None
    processing = message.fields.get(_PROCESSING)
    code = message.fields.get(_NETWORK_CODE)
    by_processing = codes.processing.get(str(processing)) if processing is not None else None
    by_code = codes.code.get(str(code)) if code is not None else None
    if (processing is not None and by_processing is None) or (code is not None and by_code is None):
        return None
    return by_code or by_processing or codes.neither
