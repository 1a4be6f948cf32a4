"""Outlets, terminals, products and programmes as admin published them, held in memory."""

from libs.registry.entities import (
    EntityStatus,
    Outlet,
    Product,
    Programme,
    Terminal,
    outlet_entity,
    product_entity,
    programme_entity,
    terminal_entity,
)
from libs.registry.follow import RegistryFollower
from libs.registry.records import PUBLISHED, Entry, entity_of, write_change, write_published
from libs.registry.view import ChangeBroken, RegistryView

__all__ = [
    "PUBLISHED",
    "ChangeBroken",
    "EntityStatus",
    "Entry",
    "Outlet",
    "Product",
    "Programme",
    "RegistryFollower",
    "RegistryView",
    "Terminal",
    "entity_of",
    "outlet_entity",
    "product_entity",
    "programme_entity",
    "terminal_entity",
    "write_change",
    "write_published",
]
