"""What the demo data is: the file's rules and the cards, outlets and terminals they give. Pure."""

from dataclasses import dataclass
from datetime import date

from libs.outcome import Fault

LEAST_BALANCE_MINOR = 0


class SeedRefused(Fault):
    """The demo data asked for cannot exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialCards:
    """What differs for serials with these last two digits; None: as all cards."""

    ending: int
    product: str | None = None
    status: str | None = None
    expiry: str | None = None
    own_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRules:
    """How a serial becomes a card; amounts in minor units."""

    prefix: str
    serial_digits: int
    expiry: str  # YYMM
    product: str
    own_minor: int
    count: int
    special: tuple[SpecialCards, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseRule:
    """A restricted purse of every n-th serial."""

    every: int
    number: int
    programme: int
    amount_minor: int
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRules:
    """How a number becomes an outlet with one terminal."""

    count: int
    code_prefix: str
    terminal_prefix: str
    listener: str
    name: str
    group: str
    even_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRules:
    """A product's parameters from a day on; minor units, 0: none."""

    code: str
    ceiling_minor: int
    purchase_max_minor: int
    day_amount_minor: int
    day_count: int
    in_force_from: date
    pin_above_minor: int | None = None  # None: no PIN is asked.


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeRules:
    """A programme and where its money may go."""

    number: int
    name: str
    outlet_groups: tuple[str, ...]
    goods_classes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRules:
    """The whole file."""

    cards: CardRules
    purses: tuple[PurseRule, ...]
    outlets: OutletRules
    products: tuple[ProductRules, ...]
    programmes: tuple[ProgrammeRules, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCard:
    """One demo card; wallet and card id are its serial."""

    serial: int
    product: str
    status: str
    expiry: str
    own_minor: int
    purses: tuple[PurseRule, ...]


def luhn_digit(digits: str) -> str:
    """Return the check digit that belongs behind these digits (ISO 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 -- two digits count as their sum
    return str(-total % 10)


def card_number(rules: CardRules, serial: int) -> str:
    """Return a demo card's number in clear: prefix, serial, check digit."""
    body = f"{rules.prefix}{serial:0{rules.serial_digits}d}"
    return body + luhn_digit(body)


def outlet_code(rules: OutletRules, number: int) -> str:
    """Return DE42 of an outlet: 15 characters."""
    return f"{rules.code_prefix}{number:0{15 - len(rules.code_prefix)}d}"


def terminal_code(rules: OutletRules, number: int) -> str:
    """Return DE41 of the outlet's terminal: 8 characters."""
    return f"{rules.terminal_prefix}{number:0{8 - len(rules.terminal_prefix)}d}"


def demo_card(rules: DemoRules, serial: int, own_minor: int | None = None) -> DemoCard:
    """Return the card of a serial; ``own_minor`` replaces the usual opening balance."""
    cards = rules.cards
    special = _special(cards, serial % 100)
    return DemoCard(
        serial=serial,
        product=special.product or cards.product,
        status=special.status or "active",
        expiry=special.expiry or cards.expiry,
        own_minor=_own_minor(cards, special, own_minor),
        purses=tuple(purse for purse in rules.purses if serial % purse.every == 0),
    )


def ceiling_of(rules: DemoRules, product: str) -> int:
    """Return the highest balance of a product's own purse; minor units."""
    return next(found.ceiling_minor for found in rules.products if found.code == product)


def check_request(rules: DemoRules, *, first: int, count: int, own_minor: int | None) -> None:
    """Refuse serials outside the number's digits and balances above a ceiling: SeedRefused."""
    last = first + count - 1
    highest = 10**rules.cards.serial_digits - 1
    if first < 1 or last > highest:
        message = f"Demo card serials run from 1 to {highest}; {first} to {last} was asked for."
        raise SeedRefused(message)
    ceiling = min(product.ceiling_minor for product in rules.products)
    if own_minor is not None and not LEAST_BALANCE_MINOR <= own_minor <= ceiling:
        message = (
            f"The balance of a demo card lies between 0 and {ceiling // 100} rupiah, "
            "the lowest ceiling of the demo products."
        )
        raise SeedRefused(message)


def _special(cards: CardRules, ending: int) -> SpecialCards:
    for found in cards.special:
        if found.ending == ending:
            return found
    return SpecialCards(ending=ending)


def _own_minor(cards: CardRules, special: SpecialCards, asked: int | None) -> int:
    if special.own_minor is not None:
        return special.own_minor
    return cards.own_minor if asked is None else asked
