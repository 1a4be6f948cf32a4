"""Claim this instance's answers partition on the bus itself; the rules are in the domain."""

import asyncio
from collections.abc import Callable
from secrets import token_bytes
from typing import Any, Final

import structlog
from google.protobuf.message import DecodeError

from libs.bus import Bus, Inbox
from libs.bus.port import Outgoing, Record
from libs.clock import Clock
from libs.contracts.envelope import Envelope
from libs.contracts.lesko.v1.iso_bridge_pb2 import ClaimStage
from libs.contracts.lesko.v1.iso_bridge_pb2 import InstanceClaim as ClaimRecord
from libs.contracts.topics import BRIDGE_ANSWERS, INSTANCE_CLAIM
from libs.outcome import Fault
from services.iso_bridge.domain.instance import Instance, Reaction, Said, Stage

_NONCE_BYTES: Final = 16
_LOOK_MS: Final = 100
_RETRY_S: Final = 0.5


class InstanceTaken(Fault):
    """Another bridge uses the same answers partition."""


class InstanceClaim:
    """Asks before serving, objects while serving, and gives way to whoever took over.

    Two bridges on one partition would do no harm to money (each drops what it did not ask for),
    but each would read the answers of both.
    """

    def __init__(
        self, bus: Bus, clock: Clock, *, partition: int, holder: str, send_ms: int
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._partition = partition
        self._holder = holder
        self._send_ms = send_ms
        self._nonce = token_bytes(_NONCE_BYTES)
        self._instance = Instance(self._nonce)
        self._taken_by: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._object: Callable[[Outgoing], None] | None = None
        self._objections = 0

    async def seek(
        self, inbox: Inbox[Any], *, wait_ms: int, report: Callable[[str | None], None]
    ) -> None:
        """Return once nobody has objected for ``wait_ms``; raises InstanceTaken.

        Waits for a bus that is away. Nobody else may take from ``inbox`` meanwhile.
        """
        await self._say(Stage.SEEKING, report)
        asked_ms: int | None = None
        while asked_ms is None or self._clock.monotonic_ms() - asked_ms < wait_ms:
            try:
                await inbox.take(wait_ms=min(_LOOK_MS, wait_ms))
            except Fault as fault:
                await self._pause(fault, report)
            await self._answer_objections(report)
            if self._taken_by.done():
                raise self._fault()
            if asked_ms is None and self._instance.is_asked:
                asked_ms = self._clock.monotonic_ms()
        await self._say(Stage.SERVING, report)

    def serve(self, put: Callable[[Outgoing], None]) -> None:
        """From now on send objections with ``put``."""
        self._object = put

    async def lost(self) -> None:
        """Wait until another bridge has taken over; raises InstanceTaken."""
        await self._taken_by
        raise self._fault()

    def hear(self, record: Record) -> None:
        """Take a record of the partition that belongs to no conversation."""
        try:
            found = ClaimRecord.FromString(record.value)
            said = Said(found.nonce, Stage(found.stage), found.holder)
        except (DecodeError, ValueError):
            structlog.get_logger("iso_bridge").warning("claim_unreadable", offset=record.offset)
            return
        reaction = self._instance.hear(said)
        if reaction is Reaction.YIELD and not self._taken_by.done():
            self._taken_by.set_result(said.holder)
        elif reaction is Reaction.OBJECT:
            if self._object is not None:
                self._object(self._record(Stage.HOLDING))
            else:
                self._objections += 1

    async def _answer_objections(self, report: Callable[[str | None], None]) -> None:
        while self._objections:
            self._objections -= 1
            await self._say(Stage.HOLDING, report)

    async def _say(self, stage: Stage, report: Callable[[str | None], None]) -> None:
        while True:
            try:
                await self._bus.publish([self._record(stage)], timeout_ms=self._send_ms)
            except Fault as fault:
                await self._pause(fault, report)
            else:
                return

    async def _pause(self, fault: Fault, report: Callable[[str | None], None]) -> None:
        if not fault.retriable:
            raise fault
        report(f"the answers partition cannot be claimed: {fault}")
        await asyncio.sleep(_RETRY_S)

    def _record(self, stage: Stage) -> Outgoing:
        claim = ClaimRecord(
            nonce=self._nonce, stage=ClaimStage.Name(stage.value), holder=self._holder
        )
        return Outgoing(
            BRIDGE_ANSWERS,
            self._partition,
            self._nonce,
            claim.SerializeToString(),
            Envelope(schema=INSTANCE_CLAIM).SerializeToString(),
        )

    def _fault(self) -> InstanceTaken:
        return InstanceTaken(
            f"answers partition {self._partition} is used by another bridge"
            f" ({self._taken_by.result()}); give this one a number of its own:"
            " LESKO_ISO_BRIDGE__ANSWER_PARTITION"
        )
