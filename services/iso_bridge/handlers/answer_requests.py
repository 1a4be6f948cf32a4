"""Bring the ledger's answers to the sockets that wait, each socket written to once a batch."""

from collections.abc import Sequence

from libs.bus.port import Record
from libs.clock import Clock
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from services.iso_bridge.handlers.build_answers import AnswerBuilder, Spoken
from services.iso_bridge.handlers.pending import Pending
from services.iso_bridge.handlers.waiting import Asker, Waiting
from services.iso_bridge.ports import Caller, Journal, MoneyLine


class AnswerRequests:
    """The way out. An answer is said word for word, in time, or not at all."""

    def __init__(
        self, *, pending: Pending, answers: AnswerBuilder, clock: Clock, journal: Journal
    ) -> None:
        self._pending = pending
        self._answers = answers
        self._clock = clock
        self._journal = journal

    def __call__(self, batch: Sequence[tuple[Waiting, Record]]) -> None:
        """Answer what still has time; the rest is silence, and the terminal reverses."""
        at_ms = self._clock.monotonic_ms()
        now_ms = self._clock.now_ms()
        writes: dict[Caller, list[bytes]] = {}
        for waiting, record in batch:
            asker = waiting.open_asker(at_ms)
            if asker is None:
                self._stay_silent(waiting, "socket_closed", at_ms)
                continue
            if at_ms >= waiting.deadline_ms:
                self._stay_silent(waiting, "deadline", at_ms)
                continue
            spoken = self._speak(asker, record, now_ms)
            if spoken is None:
                self._stay_silent(waiting, "answer_unreadable", at_ms)
                continue
            writes.setdefault(asker.caller, []).append(spoken.frame)
            self._journal.money(_line(waiting, asker, spoken, at_ms, now_ms))
        for caller, frames in writes.items():
            caller.send(frames[0] if len(frames) == 1 else b"".join(frames))
        for waiting, _ in batch:
            self._pending.finish(waiting)  # Last: a half-closed socket goes with its answer.

    def sweep(self) -> None:
        """Give up on what has passed its deadline."""
        at_ms = self._clock.monotonic_ms()
        for waiting in self._pending.sweep(at_ms):
            reason = "send_unknown" if waiting.is_doubtful else "deadline"
            self._stay_silent(waiting, reason, at_ms)

    def _speak(self, asker: Asker, record: Record, now_ms: int) -> Spoken | None:
        try:
            return self._answers.answer(asker, LedgerAnswer.FromString(record.value), now_ms)
        except Exception as fault:  # noqa: BLE001 -- silence for this one; others have answers.
            self._journal.failed("answer", fault)
            return None

    def _stay_silent(self, waiting: Waiting, reason: str, at_ms: int) -> None:
        self._journal.silent(reason)
        self._journal.money(_line(waiting, waiting.latest, None, at_ms, self._clock.now_ms()))


def _line(
    waiting: Waiting, asker: Asker, spoken: Spoken | None, at_ms: int, now_ms: int
) -> MoneyLine:
    fields = asker.message.fields
    return MoneyLine(
        now_ms,
        waiting.correlation_id,
        waiting.operation.name,
        str(fields[41]),
        str(fields[42]),
        int(str(fields[11])),
        spoken.rrn if spoken is not None else "",
        repr(waiting.card),
        waiting.content.amount_minor,
        spoken.de39 if spoken is not None else "",
        at_ms - waiting.received_ms,
    )
