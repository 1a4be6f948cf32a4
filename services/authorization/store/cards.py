"""Cards and purses in PostgreSQL. The schema's name is a word of SQL and is always quoted."""

from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import Final

import asyncpg

from libs.contracts.accounts import purse_account
from libs.outcome import Fault
from libs.pg import Pool
from services.authorization.domain.card import Card, CardStatus, Purse, own_account, sort_purses
from services.authorization.domain.card_rows import CardRow, CardShown, PurseRow

_READ: Final = """
    SELECT c.token, c.id, c.wallet, c.product, c.status, c.expiry, c.pin_tries,
           p.number, p.programme, p.valid_until - DATE '1970-01-01' AS valid_until
      FROM "authorization".card c
      LEFT JOIN "authorization".purse p ON p.wallet = c.wallet
     WHERE c.token = ANY($1::bytea[])
"""
_READ_AFTER: Final = """
    SELECT c.token, c.id, c.wallet, c.product, c.status, c.expiry, c.pin_tries,
           p.number, p.programme, p.valid_until - DATE '1970-01-01' AS valid_until
      FROM (SELECT * FROM "authorization".card WHERE id > $1 ORDER BY id LIMIT $2) AS c
      LEFT JOIN "authorization".purse p ON p.wallet = c.wallet
"""
_WRITE_CARDS: Final = """
    WITH written AS (
        INSERT INTO "authorization".card
               (id, token, sealed_pan, masked, wallet, product, status, expiry, pin_verifier)
        SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[],
                             $6::text[], $7::smallint[], $8::text[], $9::bytea[])
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*) FROM written
"""
_OTHERS: Final = """
    SELECT count(*)
      FROM unnest($1::bigint[], $2::bytea[]) AS wanted(id, token)
     WHERE NOT EXISTS (SELECT 1 FROM "authorization".card c
                        WHERE c.id = wanted.id AND c.token = wanted.token)
"""
_WRITE_PURSES: Final = """
    INSERT INTO "authorization".purse (wallet, number, programme, valid_until)
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::int[], $4::date[])
    ON CONFLICT DO NOTHING
"""
_SHOW: Final = """
    SELECT id, masked, wallet, product, status, expiry, pin_tries,
           pin_verifier IS NOT NULL AS has_pin
      FROM "authorization".card WHERE token = $1
"""
_SHOW_PURSES: Final = """
    SELECT wallet, number, programme, valid_until
      FROM "authorization".purse WHERE wallet = $1 ORDER BY valid_until, programme, number
"""
_BY_STATUS: Final = {status.value: status for status in CardStatus}


class CardsDiffer(Fault):
    """Cards stand in the table under other tokens: another token key, or other card numbers."""


class CardStore:
    """Every SQL string about cards."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read_cards(self, tokens: Sequence[bytes]) -> Mapping[bytes, Card]:
        """Return those that exist, in one round trip; raises StoreUnavailable."""
        return _cards(await self._pool.read(_READ, tokens))

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Return the next cards by id behind this one; raises StoreUnavailable."""
        return _cards(await self._pool.read(_READ_AFTER, card_id, cards_max))

    async def write_cards(self, cards: Sequence[CardRow], purses: Sequence[PurseRow]) -> int:
        """Write what is not there yet, all or nothing; return the number of new cards.

        Rows that are there keep what they hold. Raises CardsDiffer when one of the ids or tokens
        belongs to another card, StoreUnavailable, StoreConflict.
        """
        ids, tokens = [card.card_id for card in cards], [card.token for card in cards]
        async with self._pool.transaction() as connection:
            written: int = await connection.fetchval(
                _WRITE_CARDS,
                ids,
                tokens,
                [card.sealed_pan for card in cards],
                [card.masked for card in cards],
                [card.wallet for card in cards],
                [card.product for card in cards],
                [card.status.value for card in cards],
                [card.expiry for card in cards],
                [card.pin_verifier for card in cards],
            )
            others: int = await connection.fetchval(_OTHERS, ids, tokens)
            if others:
                raise CardsDiffer(
                    f"{others} cards are stored under other tokens: is this the token key with"
                    " which the database was seeded?"
                )
            await connection.execute(
                _WRITE_PURSES,
                [purse.wallet for purse in purses],
                [purse.number for purse in purses],
                [purse.programme for purse in purses],
                [purse.valid_until for purse in purses],
            )
        return written

    async def read_card_by_token(self, token: bytes) -> CardShown | None:
        """Return one card for people; None when there is none."""
        rows = await self._pool.read(_SHOW, token)
        if not rows:
            return None
        row = rows[0]
        purses = await self._pool.read(_SHOW_PURSES, row["wallet"])
        return CardShown(
            card_id=row["id"],
            masked=row["masked"],
            wallet=row["wallet"],
            product=row["product"],
            status=_BY_STATUS[row["status"]],
            expiry=row["expiry"],
            pin_tries=row["pin_tries"],
            has_pin=row["has_pin"],
            purses=tuple([PurseRow(*purse) for purse in purses]),
        )


def _cards(rows: Iterable[asyncpg.Record]) -> dict[bytes, Card]:
    """Build cards from rows of which each holds one purse, or none."""
    purses: dict[bytes, list[Purse]] = {}
    heads: dict[bytes, asyncpg.Record] = {}
    for row in rows:
        token = row["token"]
        heads[token] = row
        if row["number"] is not None:
            account = purse_account(row["wallet"], row["number"])
            purse = Purse(account, row["programme"], row["valid_until"])
            purses.setdefault(token, []).append(purse)
    return {token: _card(row, purses.get(token, ())) for token, row in heads.items()}


def _card(row: asyncpg.Record, purses: Iterable[Purse]) -> Card:
    """Build a card; its few distinct strings are shared by all cards that are kept."""
    return Card(
        card_id=row["id"],
        wallet=row["wallet"],
        own_account=own_account(row["wallet"]),
        product=intern(row["product"]),
        status=_BY_STATUS[row["status"]],
        expiry=intern(row["expiry"]),
        pin_tries=row["pin_tries"],
        purses=sort_purses(purses),
    )
