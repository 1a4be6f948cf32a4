"""Commands about cards in PostgreSQL: what they change and that they were carried out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from libs.pg import Connection, Pool
from services.authorization.domain.card import CardStatus
from services.authorization.domain.card_command import CardFound, NewCard

# Whoever carries out the same command at the same time waits here for the first one's commit.
_BEGIN: Final = """
    INSERT INTO "authorization".card_command (id, done_at) VALUES ($1, $2)
    ON CONFLICT DO NOTHING RETURNING id
"""
_ANSWER: Final = 'SELECT answer FROM "authorization".card_command WHERE id = $1'
_FINISH: Final = 'UPDATE "authorization".card_command SET answer = $2 WHERE id = $1'
_FIND: Final = """
    SELECT token, id, wallet, product, status, expiry, masked
      FROM "authorization".card WHERE token = $1
"""
_FIND_LOCKED: Final = f"{_FIND} FOR UPDATE"
_SET_STATUS: Final = 'UPDATE "authorization".card SET status = $2 WHERE id = $1'
_MISSING: Final = """
    SELECT wanted.token FROM unnest($1::bytea[]) AS wanted(token)
     WHERE NOT EXISTS (SELECT 1 FROM "authorization".card c WHERE c.token = wanted.token)
"""
_NEXT_NUMBERS: Final = """
    UPDATE "authorization".card_number SET last = last + $1 RETURNING last - $1 + 1
"""
_ADD: Final = """
    INSERT INTO "authorization".card
           (id, wallet, token, sealed_pan, masked, product, expiry, status)
    SELECT n, n, token, sealed_pan, masked, product, expiry, $7
      FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[])
           AS new(n, token, sealed_pan, masked, product, expiry)
"""
_WALLETS: Final = 'SELECT token, wallet FROM "authorization".card WHERE token = ANY($1::bytea[])'
_FORGET: Final = """
    DELETE FROM "authorization".card_command
     WHERE id IN (SELECT id FROM "authorization".card_command
                   WHERE done_at < $1 ORDER BY done_at LIMIT $2)
    RETURNING 1
"""
_BY_STATUS: Final = {status.value: status for status in CardStatus}


class CardCommandWork:
    """One transaction; of no use after it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def recall(self, command_id: bytes, *, now_ms: int) -> bytes | None:
        """Return the answer of a command that was carried out; None: it is ours to do now."""
        if await self._connection.fetchval(_BEGIN, command_id, _moment(now_ms)) is not None:
            return None
        answer: bytes = await self._connection.fetchval(_ANSWER, command_id)
        return answer

    async def remember(self, command_id: bytes, answer: bytes) -> None:
        """Keep the answer of the command that was begun."""
        await self._connection.execute(_FINISH, command_id, answer)

    async def find_card(self, token: bytes, *, is_changed: bool = False) -> CardFound | None:
        """Return a card; with ``is_changed`` nobody else changes it until the end."""
        row = await self._connection.fetchrow(_FIND_LOCKED if is_changed else _FIND, token)
        if row is None:
            return None
        return CardFound(
            token=row["token"],
            card_id=row["id"],
            wallet=row["wallet"],
            product=row["product"],
            status=_BY_STATUS[row["status"]],
            expiry=row["expiry"],
            masked=row["masked"],
        )

    async def set_status(self, card_id: int, status: CardStatus) -> None:
        """Write the status of a card."""
        await self._connection.execute(_SET_STATUS, card_id, status.value)

    async def add_cards(self, cards: Sequence[NewCard]) -> int:
        """Write those whose tokens are not there, inactive; return how many."""
        wanted = {card.token: card for card in cards}
        # Before the look: two imports of one card must not both miss it.
        first: int = await self._connection.fetchval(_NEXT_NUMBERS, len(wanted))
        rows = await self._connection.fetch(_MISSING, list(wanted))
        new = [wanted[row["token"]] for row in rows]
        if new:
            await self._connection.execute(
                _ADD,
                list(range(first, first + len(new))),
                [card.token for card in new],
                [card.sealed_pan for card in new],
                [card.masked for card in new],
                [card.product for card in new],
                [card.expiry for card in new],
                CardStatus.INACTIVE.value,
            )
        return len(new)

    async def find_wallets(self, tokens: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the wallets of these cards."""
        rows = await self._connection.fetch(_WALLETS, tokens)
        return {row["token"]: row["wallet"] for row in rows}


class CardCommandStore:
    """Opens transactions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[CardCommandWork]:
        """Open one: a clean exit commits, an exception rolls back. Raises StoreUnavailable."""
        async with self._pool.transaction() as connection:
            yield CardCommandWork(connection)

    async def forget_commands(self, *, before_ms: int, rows_max: int) -> int:
        """Delete the oldest commands of before a moment; return how many."""
        return len(await self._pool.write(_FORGET, _moment(before_ms), rows_max))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)
