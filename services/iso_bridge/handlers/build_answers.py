"""Answers as frames: what was asked is echoed, what was decided is added (edc.md, Messages)."""

from typing import Final, NamedTuple

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.iso8583 import (
    OWN_PURSE,
    RESTRICTED_PURSE,
    FieldValue,
    MessageSpec,
    answer_frame,
    answer_mti,
    build_balances,
    build_paid,
)
from libs.iso8583 import Balance as ShownBalance
from libs.iso8583 import Paid as ShownPaid
from libs.outcome import Outcome
from services.iso_bridge.handlers.waiting import Asker

_RRN: Final = 37
_OWN_LETTER: Final = "E"
_OWN_DIGITS: Final = 10**11
_ONLY_ECHOED: Final = frozenset(
    {
        Outcome.FORMAT_ERROR,
        Outcome.FUNCTION_UNSUPPORTED,
        Outcome.DATE_OUT_OF_WINDOW,
        Outcome.REVERSED,
    }
)
"""Answers that carry DE37 only when the terminal sent one."""


class Spoken(NamedTuple):
    """One answer, ready to be written, and what the log says of it."""

    frame: bytes
    de39: str
    rrn: str


class AnswerBuilder:
    """Builds frames; what does not fit its field raises EncodeFault."""

    def __init__(self) -> None:
        self._last_number = 0

    def refuse(self, asker: Asker, outcome: Outcome, now_ms: int) -> Spoken:
        """Refuse at the edge; nothing is stored (``now_ms`` in Unix ms)."""
        return self._speak(asker, outcome, asker.reception.echo(asker.message, asker.spec), now_ms)

    def answer(self, asker: Asker, answer: LedgerAnswer, now_ms: int) -> Spoken:
        """Say what the ledger decided; ``KeyError`` for an outcome that does not exist."""
        outcome = Outcome.of(answer.outcome)
        code = asker.reception.dialect.response_code(outcome)
        fields = asker.reception.echo(asker.message, asker.spec)
        if answer.rrn:
            fields[_RRN] = answer.rrn
        spec = asker.spec
        if answer.approval_code and _carries(spec, 38, code):
            fields[38] = answer.approval_code
        if answer.paid and _carries(spec, 48, code):
            paid = _paid(answer)
            if paid:
                fields[48] = paid
        if answer.balances and _carries(spec, 54, code):
            fields[54] = _balances(answer)
        return self._speak(asker, outcome, fields, now_ms)

    def manage(self, asker: Asker, outcome: Outcome, now_ms: int) -> Spoken:
        """Answer a network message: DE12 and DE13 tell the terminal our time, whatever the code."""
        fields = asker.reception.echo(asker.message, asker.spec)
        fields[12], fields[13] = asker.reception.local_time(now_ms)
        return self._speak(asker, outcome, fields, now_ms)

    def _speak(
        self, asker: Asker, outcome: Outcome, fields: dict[int, FieldValue], now_ms: int
    ) -> Spoken:
        code = asker.reception.dialect.response_code(outcome)
        rrn = fields.get(_RRN, "")
        if not rrn and _RRN in asker.spec.answered and outcome not in _ONLY_ECHOED:
            rrn = fields[_RRN] = self._next_number(now_ms)
        fields[39] = code
        message = asker.reception.codec.encode(answer_mti(asker.message.mti), fields)
        return Spoken(answer_frame(asker.tpdu, message), code, str(rrn))

    def _next_number(self, now_ms: int) -> str:
        """Return a DE37 for an answer that no row stands behind; the ledger's are all digits."""
        self._last_number = max(self._last_number + 1, now_ms)
        return f"{_OWN_LETTER}{self._last_number % _OWN_DIGITS:011d}"


def _carries(spec: MessageSpec, number: int, code: str) -> bool:
    codes = spec.answered.get(number)
    return codes is not None and (not codes or code in codes)


def _balances(answer: LedgerAnswer) -> str:
    return build_balances(
        [
            ShownBalance(RESTRICTED_PURSE if purse.programme else OWN_PURSE, purse.amount_minor)
            for purse in answer.balances
        ]
    )


def _paid(answer: LedgerAnswer) -> str:
    if len(answer.paid) == 1 and not answer.paid[0].programme:
        return ""  # The usual case: the own purse paid all.
    return build_paid(
        [
            ShownPaid(
                RESTRICTED_PURSE if purse.programme else OWN_PURSE,
                purse.programme,
                purse.amount_minor,
            )
            for purse in answer.paid
        ]
    )
