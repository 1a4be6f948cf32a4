"""Authorize a batch: one read for cards that are not kept, pure rules, one command for each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from libs.bus.port import Outgoing, Record
from libs.clock import Clock
from libs.contracts.accounts import outlet_account
from libs.contracts.envelope import next_envelope, read_envelope
from libs.contracts.keys import unknown_card_partition, wallet_partition
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
    AuthorizeRequested,
    Operation,
)
from libs.contracts.lesko.v1.card_ledger_pb2 import Purchase
from libs.contracts.topics import COMMANDS, LEDGER_COMMAND
from libs.outcome import Fault
from services.authorization.domain.asked import Asked
from services.authorization.domain.card import Card, accounts_shown, valid_purses
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.day import BusinessDays, Day
from services.authorization.domain.debit import debit_lines, usable_purses
from services.authorization.domain.refusal import refuse
from services.authorization.handlers.records import read_request, write_command, write_purchase
from services.authorization.ports import Cards, Registry

_REFUSED: Final = Purchase()
_PATIENCE_MS: Final = 3_000
"""So long new money waits for a registry that is behind. What was away for more than 5 s (we, the
bus) has read it again well within this; a 96 is stored, and its terminal could not repeat."""


class RegistryBehind(Fault):
    """The registry is not current, and will be in a moment: the batch waits for it."""

    retriable = True


class AuthorizeRequests:
    """Hand on every request to the ledger, with a verdict where a rule refuses; never answer."""

    def __init__(
        self,
        *,
        cards: Cards,
        cache: CardCache,
        registry: Registry,
        clock: Clock,
        days: BusinessDays,
        ledger_partitions: int,
    ) -> None:
        self._cards = cards
        self._cache = cache
        self._registry = registry
        self._clock = clock
        self._days = days
        self._partitions = ledger_partitions
        self._behind_since_ms: int | None = None

    async def __call__(self, batch: Mapping[int, Sequence[Record]]) -> list[Outgoing]:
        """Return one command for each record, in the order of each partition.

        Raises RequestBroken or GoodsBroken for a record that is none of ours, StoreUnavailable,
        and RegistryBehind; then nothing was handed on.
        """
        requests = [
            (record, read_request(record.value)) for records in batch.values() for record in records
        ]
        is_current = self._is_current(request.operation for _, request in requests)
        known = await self._load(requests)
        return [
            self._forward(
                record, request, known.get(request.reference.card_token), is_current=is_current
            )
            for record, request in requests
        ]

    def forget_cards(self, partitions: Iterable[int]) -> None:
        """Drop the cards of request partitions that were assigned anew."""
        self._cache.forget(partitions)

    def _is_current(self, operations: Iterable[Operation]) -> bool:
        """Tell it for new money; raises RegistryBehind while that may still wait."""
        now_ms = self._clock.monotonic_ms()  # The wall's may jump.
        if self._registry.is_current(now_ms):
            self._behind_since_ms = None
            return True
        if self._behind_since_ms is None:
            self._behind_since_ms = now_ms
        has_waited = now_ms - self._behind_since_ms >= _PATIENCE_MS
        if not has_waited and OPERATION_PURCHASE in operations:
            raise RegistryBehind("the registry is not current yet")
        return False

    async def _load(
        self, requests: Sequence[tuple[Record, AuthorizeRequested]]
    ) -> Mapping[bytes, Card]:
        """Return the cards of a batch: those kept, then those that exist."""
        known: dict[bytes, Card] = {}
        missing: dict[bytes, int] = {}
        for record, request in requests:
            token = request.reference.card_token
            card = self._cache.find(record.partition, token)
            if card is None:
                missing[token] = record.partition
            else:
                known[token] = card
        if missing:
            for token, card in (await self._cards.read_cards(list(missing))).items():
                known[token] = card
                self._cache.add(missing[token], {token: card})
        return known

    def _forward(
        self, record: Record, request: AuthorizeRequested, card: Card | None, *, is_current: bool
    ) -> Outgoing:
        reference = request.reference
        if card is None:
            key = reference.key
            partition = unknown_card_partition(key, reference.card_token, self._partitions)
        else:
            key = card.wallet.to_bytes(8, "big")
            partition = wallet_partition(card.wallet, self._partitions)
        envelope = next_envelope(read_envelope(record.envelope), schema=LEDGER_COMMAND)
        return Outgoing(
            COMMANDS,
            partition,
            key,
            self._command(request, card, partition, is_current=is_current),
            envelope.SerializeToString(),
        )

    def _command(
        self, request: AuthorizeRequested, card: Card | None, partition: int, *, is_current: bool
    ) -> bytes:
        day = self._days.day_at(request.reference.received_ms)
        accounts = accounts_shown(card, day.number) if card else ()
        if request.operation == OPERATION_REVERSAL:
            return write_command(request, card, accounts)  # No state of ours stops it.
        asked = self._look_up(request, card, day, is_current=is_current)
        verdict = refuse(asked)
        if not asked.is_purchase:
            return write_command(request, card, accounts, verdict=verdict)
        if verdict is not None:
            return write_command(request, card, accounts, verdict=verdict, purchase=_REFUSED)
        return write_command(
            request, card, accounts, purchase=self._debit(request, asked, partition)
        )

    def _look_up(
        self, request: AuthorizeRequested, card: Card | None, day: Day, *, is_current: bool
    ) -> Asked:
        reference, registry = request.reference, self._registry
        return Asked(
            card,
            registry.terminal(reference.terminal),
            registry.outlet(reference.outlet),
            registry.product(card.product, day.number) if card else None,
            day,
            reference.listener,
            request.expiry,
            reference.amount_minor,
            request.pin_present,
            request.operation == OPERATION_PURCHASE,
            is_current,
        )

    def _debit(self, request: AuthorizeRequested, asked: Asked, partition: int) -> Purchase:
        card, outlet, product = asked.card, asked.outlet, asked.product
        assert card is not None  # The rules refuse whatever lacks one of these.
        assert outlet is not None
        assert product is not None
        purses = valid_purses(card, asked.day.number)
        lines = debit_lines(
            [(line.goods_class, line.amount_minor) for line in request.goods],
            asked.amount,
            usable_purses(purses, outlet, self._registry.programme) if purses else (),
            card.own_account,
        )
        return write_purchase(lines, outlet_account(outlet.number, partition), product)
