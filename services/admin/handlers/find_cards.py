"""Find a card by its number, which goes no further than this, or by its reference."""

from collections.abc import Mapping
from typing import Protocol

from libs.contracts.lesko.v1.card_pb2 import CardShown
from libs.iso8583 import Pan
from libs.outcome import Fault
from services.admin.domain.act import Json
from services.admin.domain.card import SHOW
from services.admin.domain.command_answer import show_card, status_name
from services.admin.domain.permission import refuse_role
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller


class KnowsCards(Protocol):
    """Authorization, as far as it tells what a card is."""

    async def find(self, token: bytes) -> CardShown | None:
        """Return a card as it is now; raises CardsSilent and what the bus raises."""


class MakesTokens(Protocol):
    """The key that turns card numbers into tokens."""

    def token(self, pan: Pan) -> bytes:
        """Return the token of a card number."""


class FindCards:
    """Whoever may see a card, wherever they are: it works everywhere."""

    def __init__(self, known: KnowsCards, tokens: MakesTokens) -> None:
        self._known = known
        self._tokens = tokens

    def token_of(self, pan: Pan) -> bytes:
        """Return the token of a card number."""
        return self._tokens.token(pan)

    async def __call__(self, caller: Caller, token: bytes) -> Mapping[str, Json] | Refused:
        """Return a card; raises what ``KnowsCards.find`` raises."""
        if (why := refuse_role(caller, SHOW)) is not None:
            return Refused(why)
        found = await self._known.find(token)
        return Refused(Refusal.UNKNOWN) if found is None else show_card(found)

    async def before(self, token: bytes, *, is_needed: bool) -> dict[str, Json] | Refused:
        """Return what an act says of a card before it is changed.

        Where authorization is away an act says nothing of it, unless that ``is_needed``: to stop a
        card must be possible at any time, and is done as soon as authorization is back.
        """
        try:
            found = await self._known.find(token)
        except Fault as fault:
            if is_needed or not fault.retriable:
                raise
            return {}
        if found is None:
            return Refused(Refusal.UNKNOWN)
        return {
            "masked": found.masked,
            "was": status_name(found.status),
            "product": found.product,
        }
