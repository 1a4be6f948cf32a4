"""Any entry of the registry as the API shows it, by its own kind's page."""

from libs.registry.entities import Outlet, OutletGroup, Product, Programme, Terminal
from libs.registry.records import Entry
from services.admin.domain.act import Json
from services.admin.domain.group import show_group
from services.admin.domain.outlet import show_outlet
from services.admin.domain.product import show_product
from services.admin.domain.programme import show_programme
from services.admin.domain.terminal import show_terminal


def show_entry(entry: Entry) -> dict[str, Json]:
    """Return an entry as the API shows it; of a product the one set."""
    match entry:
        case Outlet():
            return show_outlet(entry)
        case Terminal():
            return show_terminal(entry)
        case OutletGroup():
            return show_group(entry)
        case Programme():
            return show_programme(entry)
        case Product():
            return show_product(entry.code, [entry], today=entry.in_force_from)


def code_of(entry: Entry) -> str:
    """Return what stands behind the kind in an entity's key, of a product without the day."""
    return str(entry.number) if isinstance(entry, Programme) else entry.code
