"""The terminals behind one connection: what they send, and what they make of each answer; no I/O.

``start`` and ``take`` are the hot path of a plain purchase; every other kind goes through the
slower methods below them.
"""

from collections import deque

from loadtests.fleet import (
    INQUIRY_HEAD,
    INQUIRY_HEAD_0100,
    PURCHASE_HEAD,
    UNANSWERED_AFTER_NS,
    Fleet,
    Terminal,
    body_end,
    stan_bytes,
    with_mti,
)
from loadtests.frames import FIELDS_AT, TPDU_BACK, Layout, layout_of
from loadtests.plan import Kind, Operation
from loadtests.waiting import (
    AGAIN_MAX,
    APPROVED,
    NAMES,
    NO_KEY,
    PURCHASE_ANSWER,
    PURCHASE_MTIS,
    RECENT_MAX,
    REVERSAL_ANSWERS,
    REVERSAL_MTIS,
    REVERSED,
    RRN_AND_APPROVAL,
    Recent,
    Then,
    Waiting,
    answer_mti,
)


class Crew:
    """Some of the fleet's terminals; ``refills``: a finished operation starts the next one."""

    def __init__(self, fleet: Fleet, terminals: list[Terminal], *, refills: bool) -> None:
        self._fleet = fleet
        self._terminals = terminals
        self._refills = refills
        self._turn = 0
        self._odd = 0
        self._waiting: dict[bytes, Waiting] = {}
        self._reversing: dict[bytes, Waiting] = {}
        self._again: dict[bytes, bytes] = {}
        self._recent: deque[Recent] = deque(maxlen=RECENT_MAX)

    def open_requests(self) -> int:
        """Count the requests that wait for an answer."""
        return len(self._waiting) + len(self._reversing)

    def start(self, at_ns: int, out: list[bytes]) -> None:
        """Begin the next operation of the pool; its frames are appended to ``out``."""
        operation = self._fleet.pool.draw()
        if operation[0] == Kind.PURCHASE:
            self._buy(operation, at_ns, out, Then.NOTHING)
        else:
            self._start_other(operation, at_ns, out)

    def take(self, frame: bytes, now_ns: int, out: list[bytes]) -> None:
        """Take one whole answer; what follows from it is appended to ``out``."""
        fleet = self._fleet
        layout = fleet.layouts.get(frame[9:17]) or self._learn(frame)
        if layout is None:
            return
        at = layout.code
        code = frame[at : at + 2]
        key = frame[layout.terminal : layout.terminal + 8] + frame[layout.stan : layout.stan + 3]
        sent = self._waiting.get(key)
        if sent is None or sent.then or frame[7:9] != PURCHASE_ANSWER:
            self._take_other(key, frame, layout, now_ns, out)
            return
        del self._waiting[key]
        if frame[2:7] != TPDU_BACK or frame[17:43] != sent.request[17:43]:
            fleet.tally.complain(_named("answer does not echo its request", key))
        if code == APPROVED and at - layout.rrn != RRN_AND_APPROVAL:
            fleet.tally.complain(_named("approval without DE37 or DE38", key))
        fleet.belief.answered(sent.number, code)
        tally = fleet.tally
        tally.latencies.append((now_ns - sent.at_ns) // 1000)
        tally.codes[code] += 1
        if fleet.remembers:
            verdict = frame[layout.rrn : at + 2]
            self._recent.append(Recent(key, sent.number, sent.request, verdict, code))
        if self._refills and fleet.is_open:
            self.start(now_ns, out)

    def sweep(self, now_ns: int, out: list[bytes]) -> None:
        """Reverse what stayed unanswered, and reverse again until an answer comes."""
        limit = now_ns - UNANSWERED_AFTER_NS
        for key, sent in _overdue(self._waiting, limit):
            del self._waiting[key]
            self._give_up(key, sent, now_ns, out)
        for key, sent in _overdue(self._reversing, limit):
            del self._reversing[key]
            self._fleet.tally.others["reversal unanswered"] += 1
            mti = bytes((sent.request[7], sent.request[8] | 1))
            again = sent._replace(request=with_mti(sent.request, mti), at_ns=now_ns)
            self._reversing[key] = again
            out.append(again.request)

    def _buy(self, operation: Operation, at_ns: int, out: list[bytes], then: Then) -> bytes:
        fleet, terminal = self._fleet, self._next_terminal()
        stan = terminal.next_stan()
        digits = stan_bytes(stan)
        request = PURCHASE_HEAD + operation[1] + digits + fleet.time_bytes() + terminal.tail
        number = fleet.belief.open(terminal.index, stan, operation[2])
        key = terminal.name + digits
        waiting = Waiting(number, request, at_ns, then)
        if then == Then.PURCHASE_AFTER:
            waiting = waiting._replace(request=with_mti(request, self._other(REVERSAL_MTIS)))
            self._reversing[key] = waiting
        else:
            self._waiting[key] = waiting
        out.append(waiting.request)
        return key

    def _start_other(self, operation: Operation, at_ns: int, out: list[bytes]) -> None:
        kind = operation.kind
        if kind == Kind.INQUIRY:
            self._inquire(operation, at_ns, out)
        elif kind == Kind.REVERSAL_AHEAD:
            self._buy(operation, at_ns, out, Then.PURCHASE_AFTER)
        elif kind == Kind.REPEAT_AT_ONCE:
            key = self._buy(operation, at_ns, out, Then.HEARD_TWICE)
            out.append(with_mti(self._waiting[key].request, self._other(PURCHASE_MTIS)))
        elif kind == Kind.REVERSAL_AT_ONCE:
            key = self._buy(operation, at_ns, out, Then.PAIRED)
            bought = self._waiting[key]
            self._reverse(key, bought.number, bought.request, at_ns, out)
        elif not self._recent:
            self._buy(operation, at_ns, out, Then.NOTHING)
        elif kind == Kind.REPEAT:
            recent = self._recent.popleft()
            request = with_mti(recent.request, self._other(PURCHASE_MTIS))
            self._waiting[recent.key] = Waiting(
                recent.number, request, at_ns, Then.REPEATED, recent
            )
            out.append(request)
        else:
            recent = self._recent.popleft()
            self._reverse(recent.key, recent.number, recent.request, at_ns, out, recent)

    def _inquire(self, operation: Operation, at_ns: int, out: list[bytes]) -> None:
        terminal = self._next_terminal()
        digits = stan_bytes(terminal.next_stan())
        head = self._other((INQUIRY_HEAD, INQUIRY_HEAD_0100))
        request = head + operation.body + digits + self._fleet.time_bytes() + terminal.tail
        self._waiting[terminal.name + digits] = Waiting(NO_KEY, request, at_ns, Then.INQUIRED)
        out.append(request)

    def _reverse(
        self,
        key: bytes,
        number: int,
        request: bytes,
        at_ns: int,
        out: list[bytes],
        recent: Recent | None = None,
    ) -> None:
        reversal = with_mti(request, self._other(REVERSAL_MTIS))
        self._reversing[key] = Waiting(number, reversal, at_ns, Then.NOTHING, recent)
        out.append(reversal)

    def _take_other(
        self, key: bytes, frame: bytes, layout: Layout, now_ns: int, out: list[bytes]
    ) -> None:
        is_reversal = frame[7:9] in REVERSAL_ANSWERS
        sent = (self._reversing if is_reversal else self._waiting).pop(key, None)
        if sent is None:
            self._take_unasked(key, frame, layout)
            return
        end = body_end(sent.request)
        if (
            frame[7:9] != answer_mti(sent.request[7:9])
            or frame[2:7] != TPDU_BACK
            or frame[FIELDS_AT:end] != sent.request[FIELDS_AT:end]
        ):
            self._fleet.tally.complain(_named("answer does not echo its request", key))
        code = frame[layout.code : layout.code + 2]
        if is_reversal:
            self._take_reversal(key, sent, code, now_ns, out)
        else:
            self._take_verdict(key, sent, frame[layout.rrn : layout.code + 2], now_ns)
        if key not in self._waiting and key not in self._reversing:
            self._finish(now_ns, out)

    def _take_verdict(self, key: bytes, sent: Waiting, verdict: bytes, now_ns: int) -> None:
        tally, code = self._fleet.tally, verdict[-2:]
        if sent.then in (Then.HEARD_TWICE, Then.PAIRED):
            self._fleet.belief.answered(sent.number, code)
            tally.latencies.append((now_ns - sent.at_ns) // 1000)
            tally.codes[code] += 1
            if sent.then == Then.HEARD_TWICE:
                self._expect_again(key, verdict)
            return
        tally.others[f"{NAMES[Then(sent.then)]} {code.decode('latin-1')}"] += 1
        if sent.then == Then.REFUSED_AFTER:
            self._fleet.belief.answered(sent.number, code)
            if code != REVERSED:
                tally.complain(_named("purchase after its reversal did not hear 68", key))
        elif sent.recent is not None:
            recent = sent.recent
            if code != recent.code or (recent.verdict[-2:] == code and verdict != recent.verdict):
                tally.complain(_named("repeat did not hear the first verdict", key))
            self._recent.append(recent)

    def _take_reversal(
        self, key: bytes, sent: Waiting, code: bytes, now_ns: int, out: list[bytes]
    ) -> None:
        fleet = self._fleet
        fleet.tally.others[f"reversal {code.decode('latin-1')}"] += 1
        if code != APPROVED:
            fleet.tally.complain(_named("reversal did not hear 00", key))
        elif sent.then == Then.PURCHASE_AFTER:
            fleet.belief.tombstoned(sent.number)
            request = with_mti(sent.request, PURCHASE_MTIS[0])
            self._waiting[key] = Waiting(sent.number, request, now_ns, Then.REFUSED_AFTER)
            out.append(request)
        else:
            fleet.belief.reversed(sent.number)
        if sent.recent is not None:
            recent = sent.recent
            is_undone = recent.code == APPROVED and code == APPROVED
            self._recent.append(recent._replace(code=REVERSED) if is_undone else recent)

    def _take_unasked(self, key: bytes, frame: bytes, layout: Layout) -> None:
        tally, verdict = self._fleet.tally, self._again.pop(key, None)
        if verdict is not None and frame[7:9] == PURCHASE_ANSWER:
            tally.others["heard twice"] += 1
            if verdict != frame[layout.rrn : layout.code + 2]:
                tally.complain(_named("second answer differs from the first", key))
        elif key in self._reversing:
            tally.late += 1
        else:
            tally.unexpected += 1

    def _give_up(self, key: bytes, sent: Waiting, now_ns: int, out: list[bytes]) -> None:
        if sent.then in (Then.NOTHING, Then.HEARD_TWICE, Then.PAIRED):
            self._fleet.tally.unanswered += 1
        else:
            self._fleet.tally.others[f"{NAMES[Then(sent.then)]} unanswered"] += 1
        if sent.recent is not None:
            self._recent.append(sent.recent)
        if sent.then in (Then.NOTHING, Then.HEARD_TWICE):
            self._reverse(key, sent.number, sent.request, now_ns, out)
        elif key not in self._reversing:
            self._finish(now_ns, out)

    def _finish(self, now_ns: int, out: list[bytes]) -> None:
        if self._refills and self._fleet.is_open:
            self.start(now_ns, out)

    def _expect_again(self, key: bytes, verdict: bytes) -> None:
        self._again[key] = verdict
        if len(self._again) > AGAIN_MAX:
            del self._again[next(iter(self._again))]

    def _next_terminal(self) -> Terminal:
        at = self._turn
        self._turn = at + 1 if at + 1 < len(self._terminals) else 0
        return self._terminals[at]

    def _other(self, choices: tuple[bytes, bytes]) -> bytes:
        self._odd ^= 1
        return choices[self._odd]

    def _learn(self, frame: bytes) -> Layout | None:
        layout = None
        try:
            layout = layout_of(frame)
        except (KeyError, ValueError, IndexError):
            self._fleet.tally.complain("answer with a field that edc.md does not list")
        else:
            if layout is None:
                self._fleet.tally.complain("answer without DE11, DE39 or DE41")
        if layout is not None:
            self._fleet.layouts[frame[9:17]] = layout
        return layout


def _overdue(requests: dict[bytes, Waiting], limit_ns: int) -> list[tuple[bytes, Waiting]]:
    """Return what was due at or before the limit; requests stand in the order of their sending."""
    found = []
    for key, sent in requests.items():
        if sent.at_ns > limit_ns:
            break
        found.append((key, sent))
    return found


def _named(problem: str, key: bytes) -> str:
    return f"{problem} ({key[:8].decode('latin-1')}, STAN {key[8:].hex()})"
