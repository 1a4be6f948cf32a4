"""What an edge asks, with the registry's entries that it names already looked up."""

from typing import NamedTuple

from libs.registry.entities import Outlet, Product, Terminal
from services.authorization.domain.card import Card
from services.authorization.domain.day import Day


class Asked(NamedTuple):
    """One request and everything that its rules look at."""

    card: Card | None
    terminal: Terminal | None
    outlet: Outlet | None
    product: Product | None  # In force on ``day``; None where the card is not known either.
    day: Day
    listener: str
    expiry: str  # DE14 when sent, else empty.
    amount: int  # Minor units.
    pin_present: bool
    is_purchase: bool  # Else an inquiry: no amount, so no rule about one.
    is_registry_current: bool
