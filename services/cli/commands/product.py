"""``lesko product``: dated parameters of cards; a second person approves changes."""

from typing import Annotated, Final

import typer

from services.cli.commands.registry_entries import (
    GroupNames,
    Kind,
    MustReason,
    admin,
    given,
    register_reads,
    register_steps,
    tell,
    wanted_groups,
)

KIND: Final = Kind("product", ("code", "status", "in_force_from", "version"))
MINOR: Final = 100

Code = Annotated[str, typer.Argument(help="Code of the product.")]
From = Annotated[str | None, typer.Option("--from", help="The first day, like 2026-12-31.")]
Ceiling = Annotated[int | None, typer.Option(min=1, help="Most that the own purse holds, rupiah.")]
PurchaseMax = Annotated[int | None, typer.Option(min=0, help="Rupiah for a purchase; 0: any.")]
DayAmount = Annotated[int | None, typer.Option(min=0, help="Rupiah in a day; 0: any.")]
DayCount = Annotated[int | None, typer.Option(min=0, help="Purchases in a day; 0: any.")]
MonthAmount = Annotated[int | None, typer.Option(min=0, help="Rupiah in a month; 0: any.")]
MonthCount = Annotated[int | None, typer.Option(min=0, help="Purchases in a month; 0: any.")]
Pin = Annotated[bool | None, typer.Option("--pin/--no-pin", help="Whether a PIN is asked for.")]
PinAbove = Annotated[int | None, typer.Option(min=0, help="A PIN is needed above it, rupiah.")]


def register(app: typer.Typer) -> None:
    """Add the commands of products to their group."""
    app.command("add")(add)
    app.command("set")(set_)
    app.command("close")(close)
    register_steps(app, KIND, "pause", "resume")
    register_reads(app, KIND)


def add(  # noqa: PLR0913 -- one option for each parameter of a product
    code: Code,
    *,
    first_day: From = None,
    ceiling: Annotated[int, typer.Option(min=1, help="Most that the own purse holds, rupiah.")],
    purchase_max: PurchaseMax = None,
    day_amount: DayAmount = None,
    day_count: DayCount = None,
    month_amount: MonthAmount = None,
    month_count: MonthCount = None,
    pin: Pin = None,
    pin_above: PinAbove = None,
    group: GroupNames = None,
    reason: MustReason,
) -> None:
    """Propose a new product; amounts in rupiah, what is not given is not limited."""
    body = given(
        code=code,
        in_force_from=first_day,
        ceiling_minor=_minor(ceiling),
        purchase_max_minor=_minor(purchase_max),
        day_amount_minor=_minor(day_amount),
        day_count=day_count,
        month_amount_minor=_minor(month_amount),
        month_count=month_count,
        asks_pin=_asks_pin(pin=pin, above=pin_above),
        pin_above_minor=_minor(pin_above),
        groups=group or None,
        reason=reason,
    )
    tell(KIND, admin().post(KIND.path, body))


def set_(  # noqa: PLR0913 -- one option for each parameter of a product
    code: Code,
    *,
    first_day: From = None,
    ceiling: Ceiling = None,
    purchase_max: PurchaseMax = None,
    day_amount: DayAmount = None,
    day_count: DayCount = None,
    month_amount: MonthAmount = None,
    month_count: MonthCount = None,
    pin: Pin = None,
    pin_above: PinAbove = None,
    group: GroupNames = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Not bound to groups.")] = False,
    reason: MustReason,
) -> None:
    """Propose parameters in force from a day on; what is not given stays as it is on that day."""
    body = given(
        in_force_from=first_day,
        ceiling_minor=_minor(ceiling),
        purchase_max_minor=_minor(purchase_max),
        day_amount_minor=_minor(day_amount),
        day_count=day_count,
        month_amount_minor=_minor(month_amount),
        month_count=month_count,
        asks_pin=_asks_pin(pin=pin, above=pin_above),
        pin_above_minor=_minor(pin_above),
        groups=wanted_groups(group, none=everywhere),
        reason=reason,
    )
    tell(KIND, admin().patch(KIND.path_of(code), body))


def close(
    code: Code,
    *,
    first_day: Annotated[
        str | None, typer.Option("--from", help="Withdraw only the set that begins on this day.")
    ] = None,
    reason: MustReason,
) -> None:
    """Propose to close a product for ever, or to withdraw one set before its day."""
    body = given(in_force_from=first_day, reason=reason)
    tell(KIND, admin().post(f"{KIND.path_of(code)}/close", body))


def _asks_pin(*, pin: bool | None, above: int | None) -> bool | None:
    """Return what was said of PINs; an amount above which one is asked says it too."""
    return True if pin is None and above else pin


def _minor(amount_rupiah: int | None) -> int | None:
    return None if amount_rupiah is None else amount_rupiah * MINOR
