"""Questions about cards to authorization over its topic; nothing is changed and nothing kept."""

import asyncio
from secrets import token_bytes
from typing import Final

from libs.bus import Bus, Outgoing
from libs.clock import Clock
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.card_pb2 import CardAnswer, CardCommand, CardShown, ShowCard
from libs.contracts.topics import ADMIN_ANSWERS, CARD_ANSWER, CARD_COMMAND, REQUESTS
from libs.outcome import Fault
from services.admin.handlers.await_answers import AwaitAnswers

_ID_BYTES: Final = 16


class CardsSilent(Fault):
    """Authorization did not answer in time; it may be starting or away."""

    retriable = True


class AskCards:
    """Asks under a fresh id each time."""

    def __init__(
        self,
        bus: Bus,
        answers: AwaitAnswers,
        clock: Clock,
        *,
        partitions: int,
        instance: int,
        timeout_ms: int,
    ) -> None:
        """``partitions`` of the requests topic; ``instance`` is our own one of the answers."""
        self._bus = bus
        self._answers = answers
        self._clock = clock
        self._partitions = partitions
        self._instance = instance
        self._timeout_ms = timeout_ms

    async def find(self, token: bytes) -> CardShown | None:
        """Return a card as it is now; raises CardsSilent and what the bus raises."""
        envelope = first_envelope(
            schema=CARD_COMMAND,
            answer_topic=ADMIN_ANSWERS,
            answer_partition=self._instance,
            deadline_ms=self._clock.now_ms() + self._timeout_ms,
        )
        command = CardCommand(command_id=token_bytes(_ID_BYTES), show=ShowCard(token=token))
        question = Outgoing(
            REQUESTS,
            request_partition(token, self._partitions),
            token,
            command.SerializeToString(),
            envelope.SerializeToString(),
        )
        waiting = self._answers.expect(envelope.correlation_id, schema=CARD_ANSWER)
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                await self._bus.publish([question], timeout_ms=self._timeout_ms)
                answer = CardAnswer.FromString(await waiting)
        except TimeoutError:
            message = f"authorization did not answer in {self._timeout_ms} ms"
            raise CardsSilent(message) from None
        finally:
            waiting.cancel()
        return answer.card if answer.HasField("card") else None
