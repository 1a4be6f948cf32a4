"""Edits of a product, which is all of its dated sets: which sets an edit writes, or why not."""

from collections.abc import Mapping, Sequence
from typing import Final

from libs.clock import day_of
from libs.money import IDR
from libs.registry.entities import EntityStatus, OutletGroup, Product
from services.admin.domain.act import Json
from services.admin.domain.edit import Content, next_status, refuse, refuse_again, word_problem
from services.admin.domain.product_terms import day_in, fill_terms
from services.admin.domain.refusal import Refusal, Refused

_CLOSED: Final = EntityStatus.CLOSED

Sets = Sequence[Product]


def edit_product(
    verb: str,
    code: str,
    content: Content,
    *,
    sets: Sets,
    today: int,
    groups: Mapping[str, OutletGroup],
) -> Sets | Refused:
    """Return the sets that add, set, pause, resume or close write; ``today`` since 1970-01-01.

    ``sets`` are all that there are of this product. Pausing and closing concern all of them: one
    that was left out would lift the pause on its day.
    """
    if verb == "add":
        if sets:
            return refuse_again(status_of(sets))
        problem = word_problem(code, what="The code of a product")
        return refuse(problem) if problem else _write(code, content, (), today, groups)
    if not sets:
        return Refused(Refusal.UNKNOWN)
    if verb == "close" and "in_force_from" in content:
        return _withdraw(content, sets, today)
    status = next_status(status_of(sets), verb)
    if isinstance(status, Refused):
        return status
    if verb == "set":
        return _write(code, content, sets, today, groups)
    return [one._replace(status=status) for one in sets if one.status is not _CLOSED]


def status_of(sets: Sets) -> EntityStatus:
    """Return the state of a product: closed with its last set, paused if any set is."""
    living = {one.status for one in sets if one.status is not _CLOSED}
    if not living:
        return _CLOSED
    return EntityStatus.PAUSED if EntityStatus.PAUSED in living else EntityStatus.ACTIVE


def in_force(sets: Sets, day: int) -> Product | None:
    """Return the set that holds on a day, as every reader of the registry finds it."""
    begun = [one for one in sets if one.in_force_from <= day and one.status is not _CLOSED]
    return max(begun, key=lambda one: one.in_force_from, default=None)


def show_product(code: str, sets: Sets, *, today: int) -> dict[str, Json]:
    """Return a product as the API shows it, its sets by their day."""
    now = in_force(sets, today)
    return {
        "code": code,
        "status": status_of(sets).name.lower(),
        "in_force_from": day_of(now.in_force_from).isoformat() if now else None,
        "sets": [_show_set(one) for one in sorted(sets, key=lambda one: one.in_force_from)],
    }


def _write(
    code: str, content: Content, sets: Sets, today: int, groups: Mapping[str, OutletGroup]
) -> Sets | Refused:
    """Return the one set that begins on the wanted day; what is not said stays as it would be."""
    day = day_in(content, today)
    if isinstance(day, Refused):
        return day
    if day < today:
        return refuse(f"A set is in force from {day_of(today)} at the earliest, which is today.")
    known = in_force(sets, day) or _blank(code)
    status = status_of(sets) if sets else EntityStatus.ACTIVE  # A paused product stays paused.
    filled = fill_terms(known._replace(in_force_from=day, status=status), content, groups)
    return filled if isinstance(filled, Refused) else [filled]


def _withdraw(content: Content, sets: Sets, today: int) -> Sets | Refused:
    """Close one set before its day; the one before it goes on."""
    day = day_in(content, today)
    if isinstance(day, Refused):
        return day
    found = next((one for one in sets if one.in_force_from == day), None)
    if found is None:
        return Refused(Refusal.UNKNOWN, f"No set of this product begins on {day_of(day)}.")
    if day <= today:
        return Refused(Refusal.WRONG_STATE, "A set can be withdrawn before its day only.")
    if len([one for one in sets if one.status is not _CLOSED]) == 1:
        return Refused(Refusal.WRONG_STATE, "It is the product's last set; close the product.")
    if found.status is _CLOSED:
        return Refused(Refusal.WRONG_STATE, "It was withdrawn already.")
    return [found._replace(status=_CLOSED)]


def _blank(code: str) -> Product:
    return Product(
        code=code,
        in_force_from=0,
        currency=IDR,
        ceiling_minor=0,
        purchase_max_minor=0,
        day_amount_minor=0,
        day_count=0,
        month_amount_minor=0,
        month_count=0,
        asks_pin=False,
        pin_above_minor=0,
        outlet_groups=frozenset(),
        status=EntityStatus.ACTIVE,
    )


def _show_set(one: Product) -> Json:
    return {
        "in_force_from": day_of(one.in_force_from).isoformat(),
        "currency": one.currency,
        "ceiling_minor": one.ceiling_minor,
        "purchase_max_minor": one.purchase_max_minor,
        "day_amount_minor": one.day_amount_minor,
        "day_count": one.day_count,
        "month_amount_minor": one.month_amount_minor,
        "month_count": one.month_count,
        "asks_pin": one.asks_pin,
        "pin_above_minor": one.pin_above_minor,
        "groups": [*sorted(one.outlet_groups)],
        "status": one.status.name.lower(),
    }
