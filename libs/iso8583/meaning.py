"""What the parts of a field mean, in words; nothing here may show a masked value."""

from collections.abc import Callable
from typing import Final

from libs.iso8583.amounts import (
    OWN_PURSE,
    RESTRICTED_PURSE,
    parse_balances,
    parse_goods,
    parse_paid,
)
from libs.iso8583.dialect import Dialect
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Track2
from libs.money import IDR, rupiah

_CLASSES: Final = {
    "1": "authorization",
    "2": "financial",
    "3": "file",
    "4": "reversal",
    "5": "reconciliation",
    "6": "administrative",
    "8": "network",
}
_FUNCTIONS: Final = {
    "0": "request",
    "1": "request answer",
    "2": "advice",
    "3": "advice answer",
    "4": "notification",
    "5": "notification answer",
}
_ORIGINS: Final = {"1": ", repeat", "2": " of the issuer", "3": " of the issuer, repeat"}
_PROCESSING: Final = {
    "00": "purchase",
    "01": "cash",
    "02": "void",
    "20": "refund",
    "31": "balance inquiry",
    "92": "log-on",
    "99": "log-on",
}
_ENTRY: Final = {
    "01": "typed",
    "02": "magnetic stripe",
    "05": "chip",
    "07": "contactless chip",
    "80": "chip fallback to stripe",
    "90": "magnetic stripe, full",
    "91": "contactless stripe",
}
_PIN_ENTRY: Final = {"1": ", PIN possible", "2": ", no PIN pad"}
_CONDITION: Final = {"00": "normal", "02": "customer absent", "08": "mail or telephone"}
_MONTHS: Final = {
    "01": "Jan",
    "02": "Feb",
    "03": "Mar",
    "04": "Apr",
    "05": "May",
    "06": "Jun",
    "07": "Jul",
    "08": "Aug",
    "09": "Sep",
    "10": "Oct",
    "11": "Nov",
    "12": "Dec",
}
_PURSES: Final = {OWN_PURSE: "own purse", RESTRICTED_PURSE: "restricted purse"}


def mti_meaning(mti: str) -> str:
    """Return class, function and origin of a message type in words."""
    kind = _CLASSES.get(mti[1], "unknown")
    return f"{kind} {_FUNCTIONS.get(mti[2], 'message')}{_ORIGINS.get(mti[3], '')}"


def meaning_of(number: int, value: FieldValue, dialect: Dialect) -> str:
    """Return what a field's value means, empty where the value says it all."""
    if isinstance(value, Track2):
        return f"expiry {value.expiry()}" if value.expiry() else ""
    if not isinstance(value, str):
        return ""
    if number == 39:  # noqa: PLR2004 -- field numbers are the trade's own names.
        return dialect.meanings.get(value, "unknown code")
    if number == 70:  # noqa: PLR2004 -- as above.
        return _network(value, dialect)
    explain = _BY_FIELD.get(number)
    return explain(value) if explain is not None else ""


def _network(code: str, dialect: Dialect) -> str:
    for spec in dialect.messages.by_name.values():
        if spec.network is not None and code in spec.network.code:
            return spec.network.code[code].value.replace("_", "-")
    return "unknown code"


def _amount(digits: str) -> str:
    return rupiah(int(digits))


def _moment(digits: str) -> str:
    return f"{_date(digits[:4])} {_time(digits[4:])} GMT"


def _time(digits: str) -> str:
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _date(digits: str) -> str:
    return f"{digits[2:]} {_MONTHS.get(digits[:2], 'of no month')}"


def _expiry(digits: str) -> str:
    return f"{_MONTHS.get(digits[2:], 'no month of')} 20{digits[:2]}"


def _entry(digits: str) -> str:
    return f"{_ENTRY.get(digits[:2], 'unknown')}{_PIN_ENTRY.get(digits[2:], '')}"


def _currency(text: str) -> str:
    return "rupiah" if text == str(IDR) else "not served"


def _balances(text: str) -> str:
    balances = parse_balances(text)
    if balances is None:
        return "not as this dialect writes it"
    return "; ".join(
        f"{_PURSES.get(kind, f'account type {kind}')} {rupiah(amount)}" for kind, amount in balances
    )


def _private(text: str) -> str:
    paid, goods = parse_paid(text), parse_goods(text)
    if paid is None or goods is None:
        return "not as this dialect writes it"
    parts = [
        f"{_PURSES.get(kind, kind)}{f' {programme:04d}' if programme else ''} paid {rupiah(amount)}"
        for kind, programme, amount in paid
    ]
    parts += [f"goods class {goods_class:04d} {rupiah(amount)}" for goods_class, amount in goods]
    return "; ".join(parts)


_BY_FIELD: Final[dict[int, Callable[[str], str]]] = {
    3: lambda code: _PROCESSING.get(code[:2], "unknown"),
    4: _amount,
    7: _moment,
    12: _time,
    13: _date,
    14: _expiry,
    22: _entry,
    25: lambda code: _CONDITION.get(code, ""),
    48: _private,
    49: _currency,
    54: _balances,
}
