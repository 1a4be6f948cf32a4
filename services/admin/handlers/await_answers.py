"""Who waits for which answer: questions to other services that no command of ours stands behind."""

import asyncio
from typing import NamedTuple


class _Expected(NamedTuple):
    schema: str
    answer: "asyncio.Future[bytes]"


class AwaitAnswers:
    """Answers by correlation id; forgotten once answered or given up by cancelling the future."""

    def __init__(self) -> None:
        self._expected: dict[bytes, _Expected] = {}

    def expect(self, correlation_id: bytes, *, schema: str = "") -> "asyncio.Future[bytes]":
        """Return the future of an answer's record; cancel it to wait no longer.

        With ``schema`` an answer of another schema is not taken for it.
        """
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._expected[correlation_id] = _Expected(schema, answer)
        answer.add_done_callback(lambda _: self._expected.pop(correlation_id, None))
        return answer

    def deliver(self, correlation_id: bytes, schema: str, value: bytes) -> bool:
        """Hand an answer to whoever waits for it; False: nobody does, or not for this schema."""
        expected = self._expected.get(correlation_id)
        if expected is None or expected.answer.done():
            return False
        if expected.schema not in ("", schema):
            return False
        expected.answer.set_result(value)
        return True
