"""Turn rows of a file of cards into parts of commands; a number is sealed and then let go."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.card_pb2 import CardCommand, NewCard
from libs.contracts.lesko.v1.card_pb2 import ImportCards as ImportRecord
from libs.iso8583 import Pan
from libs.registry.entities import Product
from services.admin.domain.card_rows import CardRow, CardRowChecker, read_expiry
from services.admin.domain.outlet_rows import Problem

ROWS_MAX: Final = 200_000
PROBLEMS_SHOWN: Final = 100
CARDS_IN_COMMAND: Final = 100
"""Carried out in a few milliseconds: purchases on the same partition wait for no longer."""


class Sealer(Protocol):
    """Makes of a card number what may be kept."""

    def token(self, pan: Pan) -> bytes:
        """Return its token."""

    def seal(self, pan: Pan, *, token: bytes) -> bytes:
        """Return it sealed, bound to its token."""


class Part(NamedTuple):
    """Cards of one partition."""

    partition: int
    key: bytes
    body: bytes  # lesko.v1.CardCommand without its id.


class CardParts:
    """Takes rows in the order of the file. After the first problem it only looks for more."""

    def __init__(
        self,
        checker: CardRowChecker,
        products: Mapping[str, Product],
        sealer: Sealer,
        partitions: int,
    ) -> None:
        self._checker = checker
        self._products = products
        self._sealer = sealer
        self._partitions = partitions
        self._seen: dict[bytes, int] = {}
        self._open: dict[int, list[NewCard]] = {}
        self._parts: list[Part] = []
        self.rows = 0
        self.count = 0
        self.problems: list[Problem] = []

    def take(self, rows: Sequence[CardRow | Problem]) -> None:
        """Check and seal further rows."""
        for row in rows:
            self.rows += 1
            if self.rows == ROWS_MAX + 1:
                sentence = f"The file has more than {ROWS_MAX:,} rows; split it into several."
                self._found(Problem(self.rows + 1, "", sentence))
            elif isinstance(row, Problem):
                self._found(row)
            else:
                self._take(row)

    def finish(self) -> Sequence[Part]:
        """Return all parts; of no use after a problem."""
        for partition in sorted(self._open):
            self._close(partition)
        return self._parts

    def _take(self, row: CardRow) -> None:
        has_problem = False
        is_number = True
        for problem in self._checker.check(row):
            has_problem = True
            is_number = is_number and problem.column != "card_number"
            self._found(problem)
        if not is_number:
            return
        pan = Pan(row.number)
        token = self._sealer.token(pan)
        first = self._seen.setdefault(token, row.row)
        if first != row.row:
            self._found(Problem(row.row, "card_number", f"Row {first} has this card already."))
        elif not (has_problem or self.count):
            self._add(token, pan, row)

    def _add(self, token: bytes, pan: Pan, row: CardRow) -> None:
        partition = request_partition(token, self._partitions)
        cards = self._open.setdefault(partition, [])
        cards.append(
            NewCard(
                token=token,
                sealed_pan=self._sealer.seal(pan, token=token),
                masked=str(pan),
                product=row.product,
                expiry=read_expiry(row.expiry),
                ceiling_minor=self._products[row.product].ceiling_minor,
            )
        )
        if len(cards) == CARDS_IN_COMMAND:
            self._close(partition)

    def _close(self, partition: int) -> None:
        cards = self._open.pop(partition)
        body = CardCommand(import_cards=ImportRecord(cards=cards)).SerializeToString()
        self._parts.append(Part(partition, cards[0].token, body))

    def _found(self, problem: Problem) -> None:
        self.count += 1
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(problem)
        self._open.clear()
        self._parts.clear()


def with_id(part: Part, command: bytes) -> bytes:
    """Return the whole record of a part: messages are joined by joining their bytes."""
    return CardCommand(command_id=command).SerializeToString() + part.body
