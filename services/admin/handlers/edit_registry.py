"""Carry out add, set, pause, resume and close on what the registry holds, a version for each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from libs.clock import Clock, business_day, day_number
from libs.registry.entities import (
    Outlet,
    OutletGroup,
    Product,
    Programme,
    Terminal,
    group_entity,
    outlet_entity,
)
from libs.registry.records import Entry, entity_of, read_entry, write_change
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.edited import show_entry
from services.admin.domain.group import edit_group, group_place
from services.admin.domain.outlet import edit_outlet, place_of_edit, wanted_outlet
from services.admin.domain.permission import RULES
from services.admin.domain.product import edit_product
from services.admin.domain.programme import edit_programme, wanted_groups
from services.admin.domain.refusal import Refused
from services.admin.domain.role import EVERYWHERE, Place
from services.admin.domain.terminal import edit_terminal, terminal_place, wanted_terminal
from services.admin.ports import Author, Executor, RegistryWork, Work

_SETS_MAX: Final = 10_000
"""Dated sets of one product."""


class Plan(NamedTuple):
    """What an act comes to, as the registry stands now."""

    place: Place
    version: int  # Raised by whatever changes the thing.
    edited: Sequence[Entry] | Refused
    versions: Mapping[str, int]  # Of the entities that are there.


Planner = Callable[[RegistryWork, Act], Awaitable[Plan]]


class EditRegistry:
    """The executor of one kind of entry."""

    def __init__(self, plan: Planner, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock

    async def target(self, work: Work, act: Act) -> Target | Refused:
        """Find where an act happens; one that waits for a second person must be possible now."""
        plan = await self._plan(work.registry, act)
        if isinstance(plan.edited, Refused) and RULES[act.action].two_people:
            return plan.edited
        return Target(place=plan.place, version=plan.version)

    async def execute(
        self,
        work: Work,
        act: Act,
        target: Target,  # noqa: ARG002 -- planned anew, under the same lock
        author: Author,  # noqa: ARG002 -- the audit names them
    ) -> Mapping[str, Json] | Refused:
        """Write the next version of each entity that changes; return the thing as it is then."""
        plan = await self._plan(work.registry, act)
        if isinstance(plan.edited, Refused):
            return plan.edited
        edited = [await _numbered(work.registry, entry) for entry in plan.edited]
        now_ms = self._clock.now_ms()
        await work.registry.write(
            [
                write_change(
                    one, version=plan.versions.get(entity_of(one), 0) + 1, changed_ms=now_ms
                )
                for one in edited
            ]
        )
        return {**show_entry(edited[0]), "version": plan.version + len(edited)}


async def plan_outlet(registry: RegistryWork, act: Act) -> Plan:
    """Plan an edit of an outlet."""
    current, version = await _read(registry, act.entity, Outlet)
    wanted = wanted_outlet(_code(act), act.content, current)
    groups = await _groups(registry, wanted.groups)
    edited = edit_outlet(_verb(act), wanted, act.content, current=current, groups=groups)
    return _plan(act, place_of_edit(wanted, current), version, edited)


async def plan_terminal(registry: RegistryWork, act: Act) -> Plan:
    """Plan an edit of a terminal."""
    current, version = await _read(registry, act.entity, Terminal)
    wanted = wanted_terminal(_code(act), act.content, current)
    before = None
    if current is not None:
        before, _ = await _read(registry, outlet_entity(current.outlet), Outlet)
    after, _ = await _read(registry, outlet_entity(wanted.outlet), Outlet)
    edited = edit_terminal(_verb(act), wanted, act.content, current=current, outlet=after)
    return _plan(act, terminal_place(before, after), version, edited)


async def plan_group(registry: RegistryWork, act: Act) -> Plan:
    """Plan an edit of an outlet group."""
    current, version = await _read(registry, act.entity, OutletGroup)
    code = _code(act)
    edited = edit_group(_verb(act), code, act.content, current=current)
    return _plan(act, group_place(code), version, edited)


async def plan_programme(registry: RegistryWork, act: Act) -> Plan:
    """Plan an edit of a programme; it belongs to no place."""
    current, version = await _read(registry, act.entity, Programme)
    number = int(_code(act)) if _code(act).isdecimal() else 0
    groups = await _groups(registry, wanted_groups(act.content))
    edited = edit_programme(_verb(act), number, act.content, current=current, groups=groups)
    return _plan(act, EVERYWHERE, version, edited)


class PlanProduct:
    """Plan an edit of a product, which is all of its dated sets; it belongs to no place."""

    def __init__(self, today: Callable[[], int]) -> None:
        """``today`` gives the business day, since 1970-01-01."""
        self._today = today

    async def __call__(self, registry: RegistryWork, act: Act) -> Plan:
        """Plan it; the version of a product is the sum of its sets' versions."""
        await registry.hold()
        changes = await registry.list(act.entity, after="", rows_max=_SETS_MAX)
        versions = {change.entity: change.version for change in changes}
        sets = [one for one in map(read_entry, changes) if isinstance(one, Product)]
        edited = edit_product(
            _verb(act),
            _code(act),
            act.content,
            sets=sets,
            today=self._today(),
            groups=await _groups(registry, wanted_groups(act.content)),
        )
        return Plan(EVERYWHERE, sum(versions.values()), edited, versions)


_Kind = TypeVar("_Kind", Outlet, Terminal, OutletGroup, Programme)


async def _read(registry: RegistryWork, entity: str, kind: type[_Kind]) -> tuple[_Kind | None, int]:
    change = await registry.read(entity)
    if change is None:
        return None, 0
    entry = read_entry(change)
    assert isinstance(entry, kind)
    return entry, change.version


async def _groups(registry: RegistryWork, codes: frozenset[str]) -> Mapping[str, OutletGroup]:
    found = await registry.find([group_entity(code) for code in codes])
    groups = [one for one in map(read_entry, found.values()) if isinstance(one, OutletGroup)]
    return {group.code: group for group in groups}


async def _numbered(registry: RegistryWork, entry: Entry) -> Entry:
    """Give a new outlet its owner number, which is drawn only for what is really written."""
    if isinstance(entry, Outlet) and not entry.number:
        return entry._replace(number=await registry.outlet_numbers(1))
    return entry


def _plan(act: Act, place: Place, version: int, edited: Entry | Refused) -> Plan:
    done = edited if isinstance(edited, Refused) else [edited]
    return Plan(place, version, done, {act.entity: version})


def _code(act: Act) -> str:
    return act.entity.partition("/")[2]


def _verb(act: Act) -> str:
    return act.action.partition(".")[2]


def registry_executors(clock: Clock, today: Callable[[], int]) -> Mapping[str, Executor]:
    """Return the executors of all kinds, by the first word of their actions."""
    return {
        "outlet": EditRegistry(plan_outlet, clock),
        "terminal": EditRegistry(plan_terminal, clock),
        "group": EditRegistry(plan_group, clock),
        "programme": EditRegistry(plan_programme, clock),
        "product": EditRegistry(PlanProduct(today), clock),
    }


def today_in(zone: ZoneInfo, clock: Clock) -> int:
    """Return the business day (since 1970-01-01)."""
    return day_number(business_day(clock.now_ms(), zone))
