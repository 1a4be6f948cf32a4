"""The parameters of a dated set of a product: read from a content, and checked together."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from libs.clock import day_number
from libs.registry.entities import OutletGroup, Product
from services.admin.domain.edit import Content, flag_in, groups_problem, number_in, refuse, texts_in
from services.admin.domain.refusal import Refused

AMOUNT_MAX_MINOR: Final = 10**15
"""Ten trillion rupiah: far above any limit, far below what an account can hold."""
COUNT_MAX: Final = 1_000_000
LAST_DAY: Final = day_number(date(2199, 12, 31))


def day_in(content: Content, otherwise: int) -> int | Refused:
    """Return the day from which a content wants to hold; ``otherwise`` where it says nothing."""
    text = content.get("in_force_from")
    if text is None:
        return otherwise
    try:
        day = day_number(date.fromisoformat(str(text)))
    except ValueError:
        return refuse("The day is no date; write it like 2026-12-31.")
    return day if day <= LAST_DAY else refuse("The day lies too far ahead.")


def fill_terms(
    known: Product, content: Content, groups: Mapping[str, OutletGroup]
) -> Product | Refused:
    """Return a set with the parameters of a content; what it does not say stays as it is."""
    wanted = known._replace(
        ceiling_minor=number_in(content, "ceiling_minor", known.ceiling_minor),
        purchase_max_minor=number_in(content, "purchase_max_minor", known.purchase_max_minor),
        day_amount_minor=number_in(content, "day_amount_minor", known.day_amount_minor),
        day_count=number_in(content, "day_count", known.day_count),
        month_amount_minor=number_in(content, "month_amount_minor", known.month_amount_minor),
        month_count=number_in(content, "month_count", known.month_count),
        asks_pin=flag_in(content, "asks_pin", otherwise=known.asks_pin),
        pin_above_minor=number_in(content, "pin_above_minor", known.pin_above_minor),
        outlet_groups=texts_in(content, "groups", known.outlet_groups),
    )
    problem = (
        _range_problem(wanted)
        or _order_problem(wanted)
        or groups_problem(wanted.outlet_groups, groups, kept=known.outlet_groups)
    )
    return refuse(problem) if problem else wanted


def _range_problem(wanted: Product) -> str:
    amounts = (
        wanted.ceiling_minor,
        wanted.purchase_max_minor,
        wanted.day_amount_minor,
        wanted.month_amount_minor,
        wanted.pin_above_minor,
    )
    if not all(0 <= amount <= AMOUNT_MAX_MINOR for amount in amounts):
        return "An amount lies between 0 and ten trillion rupiah; 0 means no limit."
    if not all(0 <= count <= COUNT_MAX for count in (wanted.day_count, wanted.month_count)):
        return f"A number of purchases lies between 0 and {COUNT_MAX}; 0 means no limit."
    return ""


def _order_problem(wanted: Product) -> str:
    if wanted.ceiling_minor == 0:
        return "A product has a ceiling above 0: the most that a card's own purse may hold."
    if 0 < wanted.month_amount_minor < wanted.day_amount_minor:
        return "The day's amount lies above the month's."
    if 0 < wanted.month_count < wanted.day_count:
        return "The day's number of purchases lies above the month's."
    if wanted.pin_above_minor and not wanted.asks_pin:
        return "An amount above which a PIN is asked needs a product that asks for PINs."
    return ""
