"""The registry in memory: a fold over its changes; no I/O and no clock."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.outcome import Fault
from libs.registry.entities import EntityStatus, Outlet, OutletGroup, Product, Programme, Terminal
from libs.registry.records import Entry, entity_of, read_entry

CURRENT_WITHIN_MS: Final = 5_000
"""How long the view counts as read to the end (DESIGN 7)."""


class ChangeBroken(Fault):
    """A change contradicts itself; the view is as it was before."""


class RegistryView:
    """What is known now. Codes are looked up without their trailing spaces (DE41, DE42).

    One writer applies changes; readers of the same event loop look up between its steps.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._outlets: dict[str, Outlet] = {}
        self._groups: dict[str, OutletGroup] = {}
        self._terminals: dict[str, Terminal] = {}
        self._products: dict[str, tuple[Product, ...]] = {}
        self._programmes: dict[int, Programme] = {}
        self._shown_ms: int | None = None

    def outlet(self, code: str) -> Outlet | None:
        """Return the outlet with this code, whatever its status."""
        return self._outlets.get(code.rstrip(" "))

    def group(self, code: str) -> OutletGroup | None:
        """Return the outlet group with this code, whatever its status."""
        return self._groups.get(code)

    def terminal(self, code: str) -> Terminal | None:
        """Return the terminal with this code, whatever its status."""
        return self._terminals.get(code.rstrip(" "))

    def product(self, code: str, day: int) -> Product | None:
        """Return the parameters in force on a day (since 1970-01-01); closed sets do not count."""
        for product in self._products.get(code, ()):
            if product.in_force_from <= day:
                return product
        return None

    def programme(self, number: int) -> Programme | None:
        """Return the programme with this number, whatever its status."""
        return self._programmes.get(number)

    @property
    def versions(self) -> Mapping[str, int]:
        """The version that is known of each entity."""
        return MappingProxyType(self._versions)

    def is_current(self, now_ms: int) -> bool:
        """Tell whether the registry was shown to be read to its end within the last 5 s.

        By the monotonic clock (Clock.monotonic_ms), whatever the wall's does.
        """
        return self._shown_ms is not None and now_ms - self._shown_ms <= CURRENT_WITHIN_MS

    def show_current(self, at_ms: int) -> None:
        """Note that everything up to this moment (Clock.monotonic_ms) has been read."""
        self._shown_ms = at_ms if self._shown_ms is None else max(self._shown_ms, at_ms)

    def apply(self, change: RegistryChange) -> bool:
        """Take over one change; False for a version that is not higher, or a kind of tomorrow.

        Raises ChangeBroken.
        """
        if change.version <= self._versions.get(change.entity, 0):
            return False
        if change.WhichOneof("body") is None:
            return False
        try:
            entry = read_entry(change)
        except ValueError:
            raise ChangeBroken("a registry change has no status that is known") from None
        if change.entity.rstrip(" ") != entity_of(entry):
            # Two entities that claim one code would overwrite each other whatever their versions.
            raise ChangeBroken("a registry change names another entity than its body")
        self._put(entry)
        self._versions[change.entity] = change.version
        return True

    def _put(self, entry: Entry) -> None:
        match entry:
            case Outlet():
                self._outlets[entry.code] = entry
            case OutletGroup():
                self._groups[entry.code] = entry
            case Terminal():
                self._terminals[entry.code] = entry
            case Product():
                self._put_product(entry)
            case Programme():
                self._programmes[entry.number] = entry

    def _put_product(self, product: Product) -> None:
        """Keep the sets of a product, the latest first."""
        others = [
            known
            for known in self._products.get(product.code, ())
            if known.in_force_from != product.in_force_from
        ]
        if product.status is not EntityStatus.CLOSED:
            others.append(product)
        others.sort(key=lambda known: -known.in_force_from)
        self._products[product.code] = tuple(others)
