"""ISO 8583 for this switch: frames, dialects as data, codec, form, masking. No socket, no clock."""

from libs.iso8583.amounts import (
    OWN_PURSE,
    RESTRICTED_PURSE,
    Balance,
    Paid,
    build_balances,
    build_goods,
    build_paid,
    parse_balances,
    parse_goods,
    parse_paid,
)
from libs.iso8583.answer import Answers, answer_mti
from libs.iso8583.codec import Codec
from libs.iso8583.dialect import Dialect, load_dialect
from libs.iso8583.faults import DecodeFault, DialectBroken, EncodeFault
from libs.iso8583.field import Field
from libs.iso8583.form import Form, check_form, has_two_macs, mac_field
from libs.iso8583.framing import Frame, FrameReader, answer_frame, request_frame
from libs.iso8583.masking import mask_pan
from libs.iso8583.message import FieldValue, Message
from libs.iso8583.message_spec import Kind, MessageSpec, NetworkAction
from libs.iso8583.sensitive import Pan, Sealed, Track2
from libs.iso8583.tags import build_tags, parse_tags
from libs.iso8583.transport import FrameRules, Transport
from libs.iso8583.view import Row, describe

__all__ = [
    "OWN_PURSE",
    "RESTRICTED_PURSE",
    "Answers",
    "Balance",
    "Codec",
    "DecodeFault",
    "Dialect",
    "DialectBroken",
    "EncodeFault",
    "Field",
    "FieldValue",
    "Form",
    "Frame",
    "FrameReader",
    "FrameRules",
    "Kind",
    "Message",
    "MessageSpec",
    "NetworkAction",
    "Paid",
    "Pan",
    "Row",
    "Sealed",
    "Track2",
    "Transport",
    "answer_frame",
    "answer_mti",
    "build_balances",
    "build_goods",
    "build_paid",
    "build_tags",
    "check_form",
    "describe",
    "has_two_macs",
    "load_dialect",
    "mac_field",
    "mask_pan",
    "parse_balances",
    "parse_goods",
    "parse_paid",
    "parse_tags",
    "request_frame",
]
