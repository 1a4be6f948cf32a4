"""Bring demo data into the services' tables; what is there already stays as it is."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.clock import Clock
from libs.iso8583 import Pan
from libs.pg import open_pool
from libs.registry import group_entity
from libs.vault import read_token_key, read_vault
from services.admin.main import import_registry
from services.admin.settings import Settings as AdminSettings
from services.authorization.domain.card import CardStatus
from services.authorization.domain.card_rows import CardRow, PurseRow
from services.authorization.main import count_cards, import_cards
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.main import open_books
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.logins import Logins
from services.cli.seeding.plan import (
    DemoCard,
    DemoRules,
    SeedRefused,
    card_number,
    ceiling_of,
    check_request,
    demo_card,
)
from services.cli.seeding.registry import group_name, registry_changes
from services.cli.store.installation import what_is_held

CARDS_AT_ONCE = 5_000
OWN_MONEY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOrder:
    """How much demo data is wanted; ``own_minor`` None: as the file says."""

    cards: int
    outlets: int
    first_serial: int
    own_minor: int | None
    with_keys: bool

    @property
    def serials(self) -> range:
        """The cards' serials."""
        return range(self.first_serial, self.first_serial + self.cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where it goes: through each service's own door, by its own login."""

    logins: Logins
    keys_directory: Path
    clock: Clock

    def own(self, service: str) -> dict[str, Any]:
        """Return what a service's settings are overridden with."""
        return {"postgres": {"dsn": self.logins.of(service)}}


Progress = Callable[[str, int, int], None]
"""Hears what is being filled, how many are done, of how many."""


async def refuse_real(rules: DemoRules, target: Target) -> None:
    """Raise SeedRefused where somebody works: demo money is never put among real money."""
    group = rules.outlets.group
    dsn = target.logins.of("admin")
    async with open_pool(dsn, name="lesko seed", size=1) as pool:
        held = await what_is_held(pool, group_entity(group), group_name(group))
    if held.is_used and not held.is_demo:
        raise SeedRefused(
            "This database has operators or outlets of its own: demo data are not put among them."
            " lesko run --empty serves it as it is; for a demo, LESKO_HOME names another folder."
        )


async def fill(rules: DemoRules, order: SeedOrder, target: Target, progress: Progress) -> int:
    """Fill registry, books and cards in this order; return how many cards are new.

    Cards come last, so that a card that is found has its accounts. Idempotent, and where all cards
    are there the books are left alone. Raises SeedRefused, also where somebody works; LeaseHeld
    while the books are being served; VaultFault without keys.
    """
    await refuse_real(rules, target)
    check_request(rules, first=order.first_serial, count=order.cards, own_minor=order.own_minor)
    await _fill_registry(rules, order, target)
    if await is_filled(rules, order, target):
        return 0
    await _fill_books(rules, order, target, progress)
    return await _fill_cards(rules, order, target, progress)


async def is_filled(rules: DemoRules, order: SeedOrder, target: Target) -> bool:
    """Say whether every card wanted is there; each was written after all that it needs."""
    settings = AuthorizationSettings.model_validate(target.own("authorization"))
    tokens = read_token_key(target.keys_directory)
    for some in _portions(order.serials):
        wanted = [tokens.token(Pan(card_number(rules.cards, serial))) for serial in some]
        if await count_cards(settings, wanted) < len(wanted):
            return False
    return True


def _portions(serials: range) -> Iterator[range]:
    for first in range(0, len(serials), CARDS_AT_ONCE):
        yield serials[first : first + CARDS_AT_ONCE]


async def _fill_registry(rules: DemoRules, order: SeedOrder, target: Target) -> None:
    changes = list(
        registry_changes(
            rules,
            outlets=order.outlets,
            with_keys=order.with_keys,
            now_ms=target.clock.now_ms(),
        )
    )
    await import_registry(AdminSettings.model_validate(target.own("admin")), changes)


async def _fill_books(
    rules: DemoRules, order: SeedOrder, target: Target, progress: Progress
) -> None:
    openings = list(
        itertools.chain.from_iterable(
            _openings(rules, demo_card(rules, serial, order.own_minor)) for serial in order.serials
        )
    )
    await open_books(
        LedgerSettings.model_validate(target.own("card_ledger")),
        target.clock,
        openings,
        progress=lambda done: progress("opening balances", done, len(openings)),
    )


def _openings(rules: DemoRules, card: DemoCard) -> Iterator[Opening]:
    ceiling = ceiling_of(rules, card.product)
    yield Opening(card.serial, 0, OWN_MONEY, ceiling, None, card.own_minor)
    for purse in card.purses:
        yield Opening(
            card.serial, purse.number, purse.programme, None, purse.valid_until, purse.amount_minor
        )


async def _fill_cards(
    rules: DemoRules, order: SeedOrder, target: Target, progress: Progress
) -> int:
    make = _CardMaker(rules, target.keys_directory)
    settings = AuthorizationSettings.model_validate(target.own("authorization"))
    done = written = 0
    for some in _portions(order.serials):
        cards = [demo_card(rules, serial) for serial in some]
        written += await import_cards(
            settings,
            [make.card(card) for card in cards],
            [
                PurseRow(card.serial, purse.number, purse.programme, purse.valid_until)
                for card in cards
                for purse in card.purses
            ],
        )
        done += len(some)
        progress("cards", done, order.cards)
    return written


class _CardMaker:
    """Turns demo cards into rows: a token, and the number only sealed."""

    def __init__(self, rules: DemoRules, keys_directory: Path) -> None:
        self._rules = rules
        self._tokens = read_token_key(keys_directory)
        self._vault = read_vault(keys_directory)

    def card(self, card: DemoCard) -> CardRow:
        pan = Pan(card_number(self._rules.cards, card.serial))
        token = self._tokens.token(pan)
        return CardRow(
            card_id=card.serial,
            token=token,
            sealed_pan=self._vault.seal(pan, token=token),
            masked=str(pan),
            wallet=card.serial,
            product=card.product,
            status=CardStatus[card.status.upper()],
            expiry=card.expiry,
            pin_verifier=None,
        )
