"""Operators: they adjust wallets, block cards and unblock them, by admin's outbox."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from libs.clock import business_day
from libs.contracts.keys import request_partition, wallet_partition
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.contracts.lesko.v1.card_pb2 import CARD_RESULT_DONE, CardAnswer
from libs.contracts.topics import CARD_COMMAND, COMMANDS, LEDGER_COMMAND, REQUESTS
from services.admin.domain.card import STEPS, Change, card_entity, status_command
from services.admin.domain.wallet import (
    Adjustment,
    adjustment_key,
    adjustment_record,
    wallet_entity,
)
from services.admin.ports import OpenCommand
from services.authorization.domain.card import CardStatus
from services.card_ledger.domain.transfer import Transfer
from tests.simulation.database import SimulatedCards
from tests.simulation.desk import Action, Asked
from tests.simulation.processes import PARTITIONS, ZONE, Surroundings
from tests.simulation.terminals import APPROVED, Operation

ACCEPTED: Final = 1
"""The outcome of a row that moved money."""


class Operators:
    """People who ask; what they asked for stands in the outbox at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._outbox = around.outbox

    @property
    def asked(self) -> list[Asked]:
        """Everything that was asked for, in order."""
        return list(self._outbox.asked.values())

    def adjust(self, wallet: int, amount_minor: int, *, is_credit: bool) -> None:
        """Put money into a wallet, or take some out."""
        command = self._new_id()
        day = business_day(self._around.clock.now_ms(), ZONE)
        key, partition = adjustment_key(day, command), wallet_partition(wallet, PARTITIONS)
        wanted = Adjustment(wallet, 0, amount_minor, is_credit)
        record = adjustment_record(wanted, key=key, day=day, partition=partition)
        self._outbox.add(
            OpenCommand(
                command, COMMANDS, partition, key, LEDGER_COMMAND, record.SerializeToString()
            ),
            entity=wallet_entity(wallet),
        )
        action = Action.CREDIT if is_credit else Action.DEBIT
        self._note(command, action, wallet, key=key, amount_minor=amount_minor)

    def change_card(self, wallet: int, action: Action) -> None:
        """Block the card of a wallet, or unblock it."""
        command = self._new_id()
        cards = self._around.cards.cards
        [token] = [token for token, card in cards.items() if card.wallet == wallet]
        record = status_command(command, Change(token, STEPS[action], ""))
        partition = request_partition(token, PARTITIONS)
        value = record.SerializeToString()
        self._outbox.add(
            OpenCommand(command, REQUESTS, partition, token, CARD_COMMAND, value),
            entity=card_entity(token),
        )
        self._note(command, action, wallet)

    def _note(
        self,
        command: bytes,
        action: Action,
        wallet: int,
        *,
        key: bytes = b"",
        amount_minor: int = 0,
    ) -> None:
        self._outbox.asked[command] = Asked(
            id=command, action=action, wallet=wallet, asked_s=self._around.loop.time(), key=key,
            amount_minor=amount_minor,
        )  # fmt: skip

    def _new_id(self) -> bytes:
        return self._around.faults.random.randbytes(16)


def unanswered(asked: Sequence[Asked]) -> Iterator[str]:
    """See that everything that was asked for came to an answer."""
    left = [one for one in asked if one.closed_s is None]
    if left:
        yield f"{len(left)} commands of operators were never answered"


def adjustments(asked: Sequence[Asked], rows: Sequence[Transfer]) -> Iterator[str]:
    """See that each adjustment was booked once, as its operator heard."""
    by_key: dict[bytes, list[Transfer]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    for one in asked:
        if not one.key or one.closed_s is None:
            continue
        found = by_key[one.key]
        heard = LedgerAnswer.FromString(one.answer).outcome
        moved = sum(row.amount for row in found if row.debit_seq)
        if len(found) != 1 or found[0].outcome != heard:
            yield f"an adjustment heard {heard}, stored {[row.outcome for row in found]}"
        if moved != (one.amount_minor if heard == ACCEPTED else 0):
            yield f"an adjustment of {one.amount_minor} moved {moved}"


def card_states(asked: Sequence[Asked], cards: SimulatedCards) -> Iterator[str]:
    """See that each card is as the last command that was done left it."""
    wanted = {card.wallet: CardStatus.ACTIVE for card in cards.cards.values()}
    for one in asked:
        if one.key or one.closed_s is None:
            continue
        if CardAnswer.FromString(one.answer).result == CARD_RESULT_DONE:
            is_block = one.action is Action.BLOCK
            wanted[one.wallet] = CardStatus.BLOCKED if is_block else CardStatus.ACTIVE
    for card in cards.cards.values():
        if card.status is not wanted[card.wallet]:
            yield f"the card of wallet {card.wallet} is {card.status}, not {wanted[card.wallet]}"


def blocked_buyers(
    asked: Sequence[Asked], operations: Collection[Operation], wallets: Mapping[str, int]
) -> Iterator[str]:
    """See that no purchase was approved that began after a block was told as done.

    One that was heard after somebody asked to unblock may have been decided after that, too.
    """
    for number, one in enumerate(asked):
        if one.action is not Action.BLOCK or one.closed_s is None:
            continue
        if CardAnswer.FromString(one.answer).result != CARD_RESULT_DONE:
            continue
        until_s = min(
            (
                later.asked_s
                for later in asked[number + 1 :]
                if later.wallet == one.wallet and later.action is Action.UNBLOCK
            ),
            default=float("inf"),
        )
        for operation in operations:
            is_within = one.closed_s < operation.began_s and operation.heard_s < until_s
            is_theirs = wallets[operation.card] == one.wallet
            if is_within and is_theirs and operation.code == APPROVED:
                yield f"{operation.terminal} {operation.stan:06d}: bought with a blocked card"
