"""Outlets, groups, terminals, products, programmes as admin published them, held in memory."""

from libs.registry.entities import (
    EntityStatus,
    Outlet,
    OutletGroup,
    Product,
    Programme,
    Terminal,
    group_entity,
    outlet_entity,
    product_entity,
    programme_entity,
    terminal_entity,
)
from libs.registry.follow import RegistryFollower
from libs.registry.records import (
    PUBLISHED,
    Entry,
    entity_of,
    read_entry,
    write_change,
    write_published,
)
from libs.registry.view import ChangeBroken, RegistryView

__all__ = [
    "PUBLISHED",
    "ChangeBroken",
    "EntityStatus",
    "Entry",
    "Outlet",
    "OutletGroup",
    "Product",
    "Programme",
    "RegistryFollower",
    "RegistryView",
    "Terminal",
    "entity_of",
    "group_entity",
    "outlet_entity",
    "product_entity",
    "programme_entity",
    "read_entry",
    "terminal_entity",
    "write_change",
    "write_published",
]
