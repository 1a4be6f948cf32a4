"""Carry out a command about cards: the change, its answer and its id in one transaction."""

from typing import Final

from libs.bus.port import Outgoing, Record
from libs.clock import Clock
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.card_command import (
    CardAnswer,
    CardCommand,
    CardResult,
    ImportCards,
    SetStatus,
    ShowCard,
    decide_status,
)
from services.authorization.handlers.card_records import (
    answer_record,
    opening_records,
    read_card_command,
    write_card_answer,
)
from services.authorization.ports import CardDesk, CardWork

_UNKNOWN: Final = CardAnswer(CardResult.UNKNOWN_CARD)


class CommandCards:
    """Each id once: what comes again changes nothing, and hears and sends what it did at first."""

    def __init__(
        self,
        desk: CardDesk,
        cache: CardCache,
        clock: Clock,
        *,
        request_partitions: int,
        ledger_partitions: int,
    ) -> None:
        self._desk = desk
        self._cache = cache
        self._clock = clock
        self._request_partitions = request_partitions
        self._ledger_partitions = ledger_partitions

    async def __call__(self, record: Record) -> list[Outgoing]:
        """Return what goes out, the answer last.

        Raises CardCommandBroken, and StoreUnavailable: then the same record comes again.
        """
        command = read_card_command(record, self._request_partitions)
        match command.body:
            case ImportCards() as wanted:
                return await self._import(record, command, wanted)
            case SetStatus() as change:
                return await self._set_status(record, command, change)
            case ShowCard(token):
                async with self._desk.begin() as work:
                    card = await work.find_card(token)
                answer = _UNKNOWN if card is None else CardAnswer(CardResult.DONE, card)
                return [*answer_record(record, write_card_answer(command.id, answer))]

    async def _import(
        self, record: Record, command: CardCommand, wanted: ImportCards
    ) -> list[Outgoing]:
        async with self._desk.begin() as work:
            value = await work.recall(command.id, now_ms=self._clock.now_ms())
            if value is None:
                created = await work.add_cards(wanted.cards)
                # A token that stands there twice is one card.
                known = len({card.token for card in wanted.cards}) - created
                answer = CardAnswer(CardResult.DONE, created=created, known=known)
                value = await _keep(work, command, answer)
            wallets = await work.find_wallets([card.token for card in wanted.cards])
        openings = opening_records(record, wanted.cards, wallets, self._ledger_partitions)
        return [*openings, *answer_record(record, value)]

    async def _set_status(
        self, record: Record, command: CardCommand, change: SetStatus
    ) -> list[Outgoing]:
        try:
            async with self._desk.begin() as work:
                value = await work.recall(command.id, now_ms=self._clock.now_ms())
                if value is None:
                    value = await _keep(work, command, await _change(work, change))
        finally:
            # Also where it is not known whether that was committed: whoever asks next reads it.
            self._cache.drop(record.partition, change.token)
        return [*answer_record(record, value)]


async def _change(work: CardWork, change: SetStatus) -> CardAnswer:
    card = await work.find_card(change.token, is_changed=True)
    if card is None:
        return _UNKNOWN
    result, status = decide_status(change, card.status)
    if status is not card.status:
        await work.set_status(card.card_id, status)
    return CardAnswer(result, card._replace(status=status))


async def _keep(work: CardWork, command: CardCommand, answer: CardAnswer) -> bytes:
    value = write_card_answer(command.id, answer)
    await work.remember(command.id, value)
    return value
