"""Every rule of yes and no about card, terminal and outlet, in the order of edc.md step 3."""

from typing import Final

from libs.outcome import Outcome
from libs.registry.entities import EntityStatus
from services.authorization.domain.asked import Asked
from services.authorization.domain.card import CardStatus

PIN_TRIES_MAX: Final = 3
_ACTIVE = EntityStatus.ACTIVE
_BY_STATUS: Final = {
    CardStatus.LOST: Outcome.CARD_LOST,
    CardStatus.STOLEN: Outcome.CARD_STOLEN,
    CardStatus.BLOCKED: Outcome.CARD_BLOCKED,
    CardStatus.CLOSED: Outcome.CARD_BLOCKED,
    CardStatus.INACTIVE: Outcome.CARD_INACTIVE,
}


def refuse(asked: Asked) -> Outcome | None:
    """Return the first refusal that applies; None lets the ledger decide about the money.

    What stands behind these rules in precedence (limits over days, money, deadline) is the
    ledger's.
    """
    return (
        _refuse_terminal(asked)
        or _refuse_outlet(asked)
        or _refuse_card(asked)
        or (_refuse_pin(asked) if asked.is_purchase else None)
        or _refuse_product(asked)
        or (_refuse_money(asked) if asked.is_purchase else None)
    )


def _refuse_terminal(asked: Asked) -> Outcome | None:
    """58: paused, on another listener, or of another outlet that exists."""
    terminal, outlet = asked.terminal, asked.outlet
    if terminal is None or terminal.status is not _ACTIVE or terminal.listener != asked.listener:
        return Outcome.TERMINAL_REFUSED
    if outlet is not None and terminal.outlet != outlet.code:
        return Outcome.TERMINAL_REFUSED
    return None


def _refuse_outlet(asked: Asked) -> Outcome | None:
    """03: an outlet that does not exist is never called the wrong one for its terminal."""
    if asked.outlet is None or asked.outlet.status is not _ACTIVE:
        return Outcome.ACCEPTOR_UNKNOWN
    return None


def _refuse_card(asked: Asked) -> Outcome | None:
    """14, 41, 43, 62, 54; a wrong check digit makes a token that nobody has."""
    card = asked.card
    if card is None:
        return Outcome.CARD_UNKNOWN
    if card.status is not CardStatus.ACTIVE:
        return _BY_STATUS[card.status]
    if card.expiry < asked.day.year_month:
        return Outcome.CARD_EXPIRED
    if asked.expiry and asked.expiry != card.expiry:
        return Outcome.CARD_EXPIRED
    return None


def _refuse_pin(asked: Asked) -> Outcome | None:
    """55, 75: as long as no PIN can be verified, one that is asked for is never right."""
    card, product = asked.card, asked.product
    if card is None or product is None or not product.asks_pin:
        return None
    if asked.amount <= product.pin_above_minor:
        return None
    if asked.pin_present and card.pin_tries >= PIN_TRIES_MAX:
        return Outcome.PIN_TRIES_EXCEEDED
    return Outcome.PIN_INVALID


def _refuse_product(asked: Asked) -> Outcome | None:
    """57: the card's product is not in force, or not for this outlet."""
    product, outlet = asked.product, asked.outlet
    if product is None or product.status is not _ACTIVE:
        return Outcome.NOT_PERMITTED
    if product.outlet_groups and (
        outlet is None or product.outlet_groups.isdisjoint(outlet.groups)
    ):
        return Outcome.NOT_PERMITTED
    return None


def _refuse_money(asked: Asked) -> Outcome | None:
    """61, and 96 while pauses and limits may be older than 5 s.

    The 96 is a verdict that is stored: an unstored one could be followed by the approval of a
    repeat that is already on its way, and the terminal has believed the first answer.
    """
    product = asked.product
    if product is not None and 0 < product.purchase_max_minor < asked.amount:
        return Outcome.AMOUNT_LIMIT
    if not asked.is_registry_current:
        return Outcome.COULD_NOT_PROCESS
    return None
