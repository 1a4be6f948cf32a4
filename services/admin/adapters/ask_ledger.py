"""Questions to the ledger over its topic; answers come through whoever reads admin's own."""

import asyncio

from libs.bus import Bus, Outgoing
from libs.clock import Clock
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import wallet_partition
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, MovementsAsked, WalletMovements
from libs.contracts.topics import ADMIN_ANSWERS, COMMANDS, LEDGER_COMMAND, WALLET_MOVEMENTS
from libs.outcome import Fault
from services.admin.handlers.await_answers import AwaitAnswers


class LedgerSilent(Fault):
    """The ledger did not answer in time; it may be starting or away."""

    retriable = True


class AskLedger:
    """Asks under a fresh correlation id each time; a late answer of an earlier one is nobody's."""

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
        """``partitions`` of the ledger; ``instance`` is our own partition of the answers."""
        self._bus = bus
        self._answers = answers
        self._clock = clock
        self.partitions = partitions
        self._instance = instance
        self._timeout_ms = timeout_ms

    async def movements(
        self, wallet: int, *, first_day: int, last_day: int, after: int
    ) -> WalletMovements:
        """Return a page of what moved; raises LedgerSilent and what the bus raises."""
        command = LedgerCommand(
            wallet=wallet,
            movements=MovementsAsked(first_day=first_day, last_day=last_day, after=after),
        )
        value = await self._ask(wallet, command, schema=WALLET_MOVEMENTS)
        return WalletMovements.FromString(value)

    async def _ask(self, wallet: int, command: LedgerCommand, *, schema: str) -> bytes:
        envelope = first_envelope(
            schema=LEDGER_COMMAND,
            answer_topic=ADMIN_ANSWERS,
            answer_partition=self._instance,
            deadline_ms=self._clock.now_ms() + self._timeout_ms,
        )
        question = Outgoing(
            COMMANDS,
            wallet_partition(wallet, self.partitions),
            wallet.to_bytes(8, "big"),
            command.SerializeToString(),
            envelope.SerializeToString(),
        )
        answer = self._answers.expect(envelope.correlation_id, schema=schema)
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                await self._bus.publish([question], timeout_ms=self._timeout_ms)
                return await answer
        except TimeoutError:
            message = f"the ledger did not answer in {self._timeout_ms} ms"
            raise LedgerSilent(message) from None
        finally:
            answer.cancel()
