"""Admin's tables in memory: one transaction at a time, all of it or nothing."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from libs.clock import Clock
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.fakes.clock import FixedClock
from libs.fakes.memory_operators import MemoryOperators, OperatorRows
from services.admin.domain.act import Act, Json, canonical, content_hash
from services.admin.domain.audit import GENESIS, AuditHead, AuditRow, row_hash
from services.admin.domain.operator import Operator
from services.admin.domain.proposal import Proposal, ProposalState
from services.admin.domain.role import Caller
from services.admin.ports import NewCommand


@dataclass(slots=True)
class _Tables:
    registry: dict[str, bytes] = field(default_factory=dict)
    outlet_number: int = 0
    commands: list[tuple[NewCommand, int]] = field(default_factory=list)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    audit: list[tuple[AuditRow, bytes]] = field(default_factory=list)
    people: OperatorRows = field(default_factory=OperatorRows)

    def copy(self) -> "_Tables":
        return replace(
            self,
            registry=dict(self.registry),
            commands=list(self.commands),
            proposals=dict(self.proposals),
            audit=list(self.audit),
            people=self.people.copy(),
        )


class MemoryRegistry:
    """The registry; what is read is a copy, so changing it changes nothing."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    async def hold(self) -> None:
        """Nobody else writes in memory."""

    async def read(self, entity: str) -> RegistryChange | None:
        """Return the record of an entity."""
        record = self._tables.registry.get(entity)
        return None if record is None else RegistryChange.FromString(record)

    async def list(self, kind: str, *, after: str, rows_max: int) -> Sequence[RegistryChange]:
        """Return records of a kind behind an entity, in order."""
        names = sorted(n for n in self._tables.registry if n.startswith(f"{kind}/") and n > after)
        found = (self._tables.registry[name] for name in names[:rows_max])
        return [RegistryChange.FromString(record) for record in found]

    async def find(self, entities: Collection[str]) -> Mapping[str, RegistryChange]:
        """Return the records of those entities that exist."""
        known = self._tables.registry
        return {one: RegistryChange.FromString(known[one]) for one in entities if one in known}

    async def write(self, changes: Sequence[RegistryChange]) -> None:
        """Take over changes, each with a higher version than what is there."""
        for change in changes:
            known = await self.read(change.entity)
            assert change.version > (0 if known is None else known.version)
            self._tables.registry[change.entity] = change.SerializeToString()

    async def outlet_numbers(self, count: int) -> int:
        """Draw owner numbers; return the first of them."""
        self._tables.outlet_number += count
        return self._tables.outlet_number - count + 1

    async def keep_outlet_numbers(self, through: int) -> None:
        """Draw no number up to this one any more."""
        self._tables.outlet_number = max(self._tables.outlet_number, through)


class MemoryCommands:
    """The outbox."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    async def add(self, commands: Sequence[NewCommand], *, operator: int) -> None:
        """Keep commands."""
        self._tables.commands += [(command, operator) for command in commands]


class MemoryProposals:
    """The proposals; it refuses what the database refuses."""

    def __init__(self, tables: _Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    async def add(self, act: Act, *, version: int, maker: int) -> int:
        """Keep an act for a second person; return its number."""
        number = len(self._tables.proposals) + 1
        self._tables.proposals[number] = Proposal(
            number=number,
            act=act,
            version=version,
            hash=content_hash(act, version=version),
            maker=maker,
            maker_login=self._login(maker),
            made_ms=self._clock.now_ms(),
        )
        return number

    def _login(self, operator: int) -> str:
        known = self._tables.people.operators.values()
        return next((one.login for one in known if one.id == operator), f"operator{operator}")

    async def read(self, number: int) -> Proposal | None:
        """Return a proposal."""
        return self._tables.proposals.get(number)

    async def show(self, number: int) -> Proposal | None:
        """Return a proposal."""
        return self._tables.proposals.get(number)

    async def list(self, *, is_open: bool, rows_max: int) -> Sequence[Proposal]:
        """Return the latest proposals, newest first."""
        found = sorted(self._tables.proposals.values(), reverse=True)
        wanted = [p for p in found if p.state is ProposalState.OPEN or not is_open]
        return wanted[:rows_max]

    async def decide(
        self, number: int, state: ProposalState, *, checker: int, decision: str
    ) -> None:
        """Decide an open one."""
        proposal = self._tables.proposals[number]
        assert proposal.state is ProposalState.OPEN
        assert proposal.maker != checker
        self._tables.proposals[number] = proposal._replace(
            state=state,
            checker=checker,
            checker_login=f"operator{checker}",
            decided_ms=self._clock.now_ms(),
            decision=decision,
        )


class MemoryAudit:
    """The audit's chain."""

    def __init__(self, tables: _Tables, clock: Clock, trouble: Exception | None) -> None:
        self._tables = tables
        self._clock = clock
        self._trouble = trouble

    async def add(
        self, caller: Caller | None, act: Act, result: str, more: Mapping[str, Json]
    ) -> int:
        """Append a row; return its number. Raises the trouble that a test has made."""
        if self._trouble is not None:
            raise self._trouble
        content: dict[str, Json] = {"content": dict(act.content), **more}
        content |= {"reason": act.reason} if act.reason else {}
        content |= {"document": act.document} if act.document else {}
        rows = self._tables.audit
        row = AuditRow(
            no=len(rows) + 1,
            at_ms=self._clock.now_ms(),
            operator=caller.operator if caller else 0,
            login=caller.login if caller else "",
            action=act.action,
            entity=act.entity,
            result=result,
            content=canonical(content),
        )
        rows.append((row, row_hash(row, rows[-1][1] if rows else GENESIS)))
        return row.no


class MemoryWork:
    """The tables within one transaction."""

    def __init__(
        self,
        tables: _Tables,
        clock: Clock,
        trouble: Exception | None,
        *,
        has_approver: bool | None,
    ) -> None:
        self.registry = MemoryRegistry(tables)
        self.commands = MemoryCommands(tables)
        self.proposals = MemoryProposals(tables, clock)
        self.audit = MemoryAudit(tables, clock, trouble)
        self.operators = MemoryOperators(tables.people, clock, has_approver=has_approver)


class MemoryTransactions:
    """Opens transactions, one after the other; what is committed can be looked at.

    ``audit_trouble`` is raised by whatever writes to the audit while it is set. ``has_approver``
    None: as the operators in it say.
    """

    def __init__(self, clock: Clock | None = None, *, has_approver: bool | None = True) -> None:
        self.audit_trouble: Exception | None = None
        self._clock = clock or FixedClock()
        self._has_approver = has_approver
        self._tables = _Tables()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryWork]:
        """Open one: a clean exit commits, an exception rolls back."""
        async with self._turn:
            tables = self._tables.copy()
            yield MemoryWork(
                tables, self._clock, self.audit_trouble, has_approver=self._has_approver
            )
            self._tables = tables

    def put(self, caller: Caller, *, is_disabled: bool = False) -> None:
        """Let the operator behind a caller stand in the table, as they are now."""
        self._tables.people.operators[caller.login] = Operator(
            id=caller.operator,
            login=caller.login,
            name=caller.login,
            role=caller.role,
            scope=caller.scope,
            is_disabled=is_disabled,
        )

    @property
    def registry(self) -> Mapping[str, RegistryChange]:
        """The committed registry."""
        found = self._tables.registry.items()
        return {name: RegistryChange.FromString(record) for name, record in found}

    @property
    def commands(self) -> Sequence[NewCommand]:
        """The committed commands."""
        return [command for command, _ in self._tables.commands]

    @property
    def people(self) -> OperatorRows:
        """The committed operators and sessions."""
        return self._tables.people

    @property
    def proposals(self) -> Mapping[int, Proposal]:
        """The committed proposals, by number."""
        return self._tables.proposals

    @property
    def audit(self) -> Sequence[AuditRow]:
        """The committed audit."""
        return [row for row, _ in self._tables.audit]

    async def latest(
        self, *, entity: str, login: str, before: int, rows_max: int
    ) -> Sequence[AuditRow]:
        """Return rows of the audit, newest first."""
        wanted = [
            row
            for row in reversed(self.audit)
            if entity in ("", row.entity) and login in ("", row.login)
        ]
        return [row for row in wanted if row.no < (before or len(self.audit) + 1)][:rows_max]

    async def head(self) -> AuditHead:
        """Return where the audit's chain ends."""
        rows = self._tables.audit
        return AuditHead(len(rows), rows[-1][1] if rows else GENESIS)

    @asynccontextmanager
    async def chain(
        self,
    ) -> AsyncIterator[tuple[AuditHead, AsyncIterator[tuple[AuditRow, bytes]]]]:
        """Open one snapshot of the audit."""
        yield await self.head(), _given(list(self._tables.audit))


async def _given(
    rows: Sequence[tuple[AuditRow, bytes]],
) -> AsyncIterator[tuple[AuditRow, bytes]]:
    for row in rows:
        yield row
