"""Demo outlets, terminals, products and programmes as the registry's records. Pure."""

from collections.abc import Iterator

from libs.clock import day_number
from libs.contracts.lesko.v1.registry_pb2 import (
    ENTITY_STATUS_ACTIVE,
    Outlet,
    OutletGroup,
    Product,
    Programme,
    RegistryChange,
    Terminal,
)
from libs.money import IDR
from libs.registry import (
    group_entity,
    outlet_entity,
    product_entity,
    programme_entity,
    terminal_entity,
)
from services.cli.seeding.plan import (
    DemoRules,
    OutletRules,
    ProductRules,
    ProgrammeRules,
    outlet_code,
    terminal_code,
)

FIRST_VERSION = 1


def registry_changes(
    rules: DemoRules, *, outlets: int, with_keys: bool, now_ms: int
) -> Iterator[RegistryChange]:
    """Give every record once, what others point at first."""
    for product in rules.products:
        yield _product(product, now_ms)
    for programme in rules.programmes:
        yield _programme(programme, now_ms)
    for group in (rules.outlets.group, rules.outlets.even_group):
        yield _group(group, now_ms)
    for number in range(1, outlets + 1):
        yield _outlet(rules.outlets, number, now_ms)
        yield _terminal(rules.outlets, number, with_keys=with_keys, now_ms=now_ms)


def group_name(code: str) -> str:
    """Return what an outlet group of the demo is called."""
    return f"Demo group {code}"


def _change(entity: str, now_ms: int) -> RegistryChange:
    return RegistryChange(
        entity=entity, version=FIRST_VERSION, status=ENTITY_STATUS_ACTIVE, changed_ms=now_ms
    )


def _group(code: str, now_ms: int) -> RegistryChange:
    change = _change(group_entity(code), now_ms)
    change.outlet_group.CopyFrom(OutletGroup(code=code, name=group_name(code)))
    return change


def _outlet(rules: OutletRules, number: int, now_ms: int) -> RegistryChange:
    code = outlet_code(rules, number)
    groups = [rules.group, rules.even_group] if number % 2 == 0 else [rules.group]
    change = _change(outlet_entity(code), now_ms)
    name = rules.name.format(number=number)
    change.outlet.CopyFrom(Outlet(code=code, number=number, name=name, groups=groups))
    return change


def _terminal(rules: OutletRules, number: int, *, with_keys: bool, now_ms: int) -> RegistryChange:
    code = terminal_code(rules, number)
    change = _change(terminal_entity(code), now_ms)
    change.terminal.CopyFrom(
        Terminal(
            code=code,
            outlet=outlet_code(rules, number),
            listener=rules.listener,
            has_mac_key=with_keys,
            may_omit_mac=not with_keys,
        )
    )
    return change


def _product(rules: ProductRules, now_ms: int) -> RegistryChange:
    day = day_number(rules.in_force_from)
    change = _change(product_entity(rules.code, day), now_ms)
    change.product.CopyFrom(
        Product(
            code=rules.code,
            currency=IDR,
            ceiling_minor=rules.ceiling_minor,
            purchase_max_minor=rules.purchase_max_minor,
            day_amount_minor=rules.day_amount_minor,
            day_count=rules.day_count,
            asks_pin=rules.pin_above_minor is not None,
            pin_above_minor=rules.pin_above_minor or 0,
            in_force_from=day,
        )
    )
    return change


def _programme(rules: ProgrammeRules, now_ms: int) -> RegistryChange:
    change = _change(programme_entity(rules.number), now_ms)
    change.programme.CopyFrom(
        Programme(
            number=rules.number,
            name=rules.name,
            outlet_groups=rules.outlet_groups,
            goods_classes=rules.goods_classes,
        )
    )
    return change
