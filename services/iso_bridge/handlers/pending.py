"""Everything that waits for an answer, and the rule by which a repeat joins (DESIGN 4)."""

from libs.bus.port import Outgoing
from services.iso_bridge.domain.content import Content, is_same_content
from services.iso_bridge.domain.operation import PURCHASE, REVERSAL, MoneyOperation
from services.iso_bridge.handlers.waiting import Asker, Waiting
from services.iso_bridge.ports import AnswerInbox, RequestQueue


class Pending:
    """Commands in flight, bounded. One owner: the event loop."""

    def __init__(
        self, inbox: AnswerInbox[Waiting], requests: RequestQueue, *, in_flight_max: int
    ) -> None:
        self._inbox = inbox
        self._requests = requests
        self._in_flight_max = in_flight_max
        self._by_key: dict[tuple[int, bytes], Waiting] = {}
        # In order of their latest message. The inbox drops late answers and what they belonged
        # to; here every command stays until its sockets have been told.
        self._by_age: dict[bytes, Waiting] = {}

    def __len__(self) -> int:
        return len(self._by_age)

    @property
    def is_full(self) -> bool:
        """Whether no further command may set out; a stuck bus counts even after deadlines."""
        return max(len(self._by_age), len(self._requests)) >= self._in_flight_max

    def join(
        self, operation: MoneyOperation, key: bytes, content: Content, asker: Asker, now_ms: int
    ) -> bool:
        """Let a repeat wait for the command that is on its way already; False when there is none.

        The answer goes to the latest open socket. Other content under the same key sets out as a
        command of its own, and so does a repeat that comes after the command's own deadline.
        """
        waiting = self._by_key.get((operation.number, key))
        if (
            waiting is None
            or now_ms >= waiting.repeat_until_ms
            or not is_same_content(waiting.content, content)
        ):
            return False
        waiting.join(asker, now_ms)
        asker.caller.owe()
        del self._by_age[waiting.correlation_id]
        self._wait(waiting)
        return True

    def send(self, waiting: Waiting, record: Outgoing, now_ms: int) -> None:
        """Wait for the answer of a command, and send it."""
        if waiting.key:
            if waiting.operation is REVERSAL:
                # What repeats a purchase from now on must hear what the reversal made of it.
                self._by_key.pop((PURCHASE.number, waiting.key), None)
            place = waiting.operation.number, waiting.key
            first = self._by_key.get(place)
            if first is None or now_ms >= first.repeat_until_ms:
                self._by_key[place] = waiting
        waiting.latest.caller.owe()
        self._wait(waiting)
        self._requests.put(record, waiting.refuse_repeats)

    def finish(self, waiting: Waiting) -> None:
        """Forget a command that was answered or has expired; its sockets wait no longer."""
        self._by_age.pop(waiting.correlation_id, None)
        if waiting.key:
            place = waiting.operation.number, waiting.key
            if self._by_key.get(place) is waiting:
                del self._by_key[place]
        waiting.settle()

    def sweep(self, now_ms: int) -> list[Waiting]:
        """Finish what has passed its deadline and return it, oldest first.

        Looks as far as the first that still has time; where listeners have different deadlines a
        short one may stay behind a long one, unanswered all the same.
        """
        expired = []
        for waiting in self._by_age.values():
            if now_ms < waiting.deadline_ms:
                break
            expired.append(waiting)
        for waiting in expired:
            self._inbox.forget(waiting.correlation_id)
            self.finish(waiting)
        return expired

    def _wait(self, waiting: Waiting) -> None:
        self._by_age[waiting.correlation_id] = waiting
        self._inbox.expect(waiting.correlation_id, waiting.deadline_ms, waiting)
