"""Take one message of a terminal: answer it at the edge, or send it on and remember who waits."""

from typing import Final

from libs.clock import Clock
from libs.contracts.keys import business_key
from libs.iso8583 import (
    DecodeFault,
    Form,
    Frame,
    Kind,
    Message,
    NetworkAction,
    Pan,
    check_form,
    has_two_macs,
)
from libs.outcome import Outcome
from libs.registry import Terminal
from services.iso_bridge.domain.admission import refuse_form, refuse_new_key, refuse_terminal
from services.iso_bridge.domain.content import Content
from services.iso_bridge.domain.key_day import KeyDay
from services.iso_bridge.domain.operation import (
    INQUIRY,
    PURCHASE,
    REVERSAL,
    MoneyOperation,
    operation_of,
)
from services.iso_bridge.handlers.build_answers import AnswerBuilder
from services.iso_bridge.handlers.build_requests import Question, RequestBuilder
from services.iso_bridge.handlers.pending import Pending
from services.iso_bridge.handlers.reception import Reception
from services.iso_bridge.handlers.waiting import Asker, Waiting
from services.iso_bridge.ports import Caller, Journal, MoneyLine, Terminals, Tokens

NOTHING: Final = b""
"""No answer now: the message went on, joined another, or is met with silence."""

_UNKNOWN: Final = "unknown"


class ReceiveMessages:
    """The way in. Called for each frame; nothing a terminal sends makes it raise."""

    def __init__(
        self,
        *,
        pending: Pending,
        requests: RequestBuilder,
        answers: AnswerBuilder,
        tokens: Tokens,
        terminals: Terminals,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._pending = pending
        self._requests = requests
        self._answers = answers
        self._tokens = tokens
        self._terminals = terminals
        self._clock = clock
        self._journal = journal

    def __call__(self, caller: Caller, reception: Reception, frame: Frame) -> bytes | None:
        """Return the frame to answer with, NOTHING, or None for a message that was dropped."""
        try:
            return self._receive(caller, reception, frame)
        except DecodeFault as fault:
            self._journal.dropped(fault.reason)
        except Exception as fault:  # noqa: BLE001 -- whatever it is, other terminals go on.
            self._journal.failed("receive", fault)
        return None

    def _receive(self, caller: Caller, reception: Reception, frame: Frame) -> bytes:
        message = reception.codec.decode(frame.message)
        form = check_form(message, reception.dialect)
        asker = Asker(caller, frame.tpdu, message, form.spec, reception)
        now_ms = self._clock.now_ms()
        operation = operation_of(form.kind)
        self._journal.read(operation.name if operation is not None else form.kind.value)
        day = _key_day(asker, operation, now_ms)
        terminal = self._terminals.terminal(str(message.fields.get(41, "")))
        if self._is_too_many(asker, terminal, operation):
            return NOTHING
        refusal = _refuse_form(asker, form, operation, day, terminal)
        if refusal is None:
            if terminal is None and not self._terminals.is_current(self._clock.monotonic_ms()):
                self._journal.silent("registry_not_current")
                return NOTHING
            refusal = refuse_terminal(terminal)
        if form.kind is Kind.NETWORK:
            return self._manage(asker, form, refusal, now_ms)
        if refusal is None and operation is INQUIRY and not _is_signed_on(asker):
            refusal = Outcome.TERMINAL_REFUSED
        if refusal is not None:
            return self._refuse(asker, form, operation, refusal, now_ms)
        assert operation is not None
        self._pass_on(asker, form, operation, day, now_ms)
        return NOTHING

    def _is_too_many(
        self, asker: Asker, terminal: Terminal | None, operation: MoneyOperation | None
    ) -> bool:
        """Meet a flood from one terminal with silence; those that nobody knows share one rate."""
        code = terminal.code if terminal is not None else _UNKNOWN
        rate, now_ms = asker.reception.rate, self._clock.monotonic_ms()
        if rate.admits(code, is_reversal=operation is REVERSAL, now_ms=now_ms):
            return False
        self._journal.silent("terminal_rate")
        if rate.is_news(code, now_ms=now_ms):
            self._journal.flooding(code)
        asker.caller.slow_down()
        return True

    def _manage(self, asker: Asker, form: Form, refusal: Outcome | None, now_ms: int) -> bytes:
        """Sign on, sign off, log on, echo: answered here, however much waits elsewhere."""
        terminal = str(asker.message.fields.get(41, ""))
        action = form.network
        if refusal is None and action is not None:
            if action is NetworkAction.SIGN_OFF:
                asker.reception.sign_ons.sign_off(terminal)
            elif action is not NetworkAction.ECHO:
                asker.reception.sign_ons.sign_on(terminal)
        spoken = self._answers.manage(asker, refusal or Outcome.APPROVED, now_ms)
        self._journal.network(action.value if action is not None else _UNKNOWN, spoken.de39)
        return spoken.frame

    def _refuse(
        self,
        asker: Asker,
        form: Form,
        operation: MoneyOperation | None,
        refusal: Outcome,
        now_ms: int,
    ) -> bytes:
        spoken = self._answers.refuse(asker, refusal, now_ms)
        fields = asker.message.fields
        card = form.card or fields.get(2)
        self._journal.money(
            MoneyLine(
                now_ms,
                b"",
                operation.name if operation is not None else _UNKNOWN,
                str(fields.get(41, "")),
                str(fields.get(42, "")),
                int(str(fields[11])),
                spoken.rrn,
                repr(card) if isinstance(card, Pan) else "",
                form.amount_minor,
                spoken.de39,
                0,
            )
        )
        return spoken.frame

    def _pass_on(
        self,
        asker: Asker,
        form: Form,
        operation: MoneyOperation,
        day: KeyDay | None,
        now_ms: int,
    ) -> None:
        """Send one command, unless the message repeats one that is on its way."""
        card = form.card
        assert card is not None
        fields = asker.message.fields
        content = _content(asker.message, form, self._tokens.token(card))
        key = b""
        if day is not None:
            key = business_key(day.date, str(fields[41]), str(fields[11]))
        at_ms = self._clock.monotonic_ms()
        if key and self._pending.join(operation, key, content, asker, at_ms):
            return
        if self._pending.is_full:
            self._journal.silent("shed")
            return
        question = Question(
            operation,
            asker.message,
            form,
            content,
            key,
            day.number if day is not None else 0,
            _refuse_new(asker, operation, day),
            asker.reception.name,
            now_ms,
            now_ms + asker.reception.answer_ms if operation.expires else 0,
        )
        correlation_id, record = self._requests.build(question)
        waiting = Waiting(asker, operation, key, content, card, correlation_id, at_ms)
        self._pending.send(waiting, record, at_ms)


def _refuse_new(asker: Asker, operation: MoneyOperation, day: KeyDay | None) -> Outcome | None:
    """Return what a purchase hears whose key nobody knows yet."""
    if operation is not PURCHASE or day is None:
        return None
    return refuse_new_key(day_is_open=day.is_open, is_signed_on=_is_signed_on(asker))


def _key_day(asker: Asker, operation: MoneyOperation | None, now_ms: int) -> KeyDay | None:
    if operation is None or not operation.has_key:
        return None
    mmdd = asker.message.fields.get(13)
    return None if mmdd is None else asker.reception.key_day(str(mmdd), now_ms)


def _refuse_form(
    asker: Asker,
    form: Form,
    operation: MoneyOperation | None,
    day: KeyDay | None,
    terminal: Terminal | None,
) -> Outcome | None:
    needs_day = operation is not None and operation.has_key
    return refuse_form(
        form.outcome,
        terminal,
        has_day=day is not None or not needs_day,
        has_two_macs=has_two_macs(asker.message),
    )


def _is_signed_on(asker: Asker) -> bool:
    return asker.reception.sign_ons.is_signed_on(str(asker.message.fields[41]))


def _content(message: Message, form: Form, card_token: bytes) -> Content:
    fields = message.fields
    return Content(
        card_token,
        str(fields[3]),
        form.amount_minor,
        str(fields[42]),
        str(fields.get(37, "")),
    )
