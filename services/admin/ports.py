"""What the handlers need from the world."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from services.admin.domain.act import Act, Json, Target
from services.admin.domain.audit import AuditHead, AuditRow
from services.admin.domain.operator import Operator
from services.admin.domain.proposal import Proposal, ProposalState
from services.admin.domain.refusal import Refused
from services.admin.domain.role import Caller, Role
from services.admin.domain.session import Session


class RegistryRow(NamedTuple):
    """A registry record as it stands in the table."""

    position: int  # Grows with every change, in the order of commits.
    entity: str
    record: bytes  # lesko.v1.RegistryChange.


class RegistryRows(Protocol):
    """The registry's table."""

    async def read_changes(self, *, after: int, rows_max: int) -> Sequence[RegistryRow]:
        """Return the rows changed after a position, in order; raises StoreUnavailable."""


class Relay(Protocol):
    """Whose turn it is to publish; only one process at a time, so that changes keep their order."""

    async def turn(self, log: str) -> int | None:
        """Return the number of our turn at this log, higher each time we got it; None: not ours.

        Raises StoreUnavailable.
        """


class Author(NamedTuple):
    """Who answers for a change: its maker, and where two were needed its checker."""

    maker: int
    maker_login: str
    checker: int = 0
    checker_login: str = ""


class NewCommand(NamedTuple):
    """A record for another service's topic, as the outbox keeps it."""

    id: bytes  # 16 bytes; the same for ever, however often it is sent.
    topic: str
    partition: int
    key: bytes
    schema: str
    record: bytes
    action: str
    entity: str
    reason: str = ""
    document: str = ""


class OpenCommand(NamedTuple):
    """A command of the outbox that nobody has answered yet."""

    id: bytes
    topic: str
    partition: int
    key: bytes
    schema: str
    record: bytes


class Answered(NamedTuple):
    """What came for a command; ``schema`` is the one that such a command has."""

    id: bytes
    schema: str
    answer: bytes


class CommandRow(NamedTuple):
    """A command as whoever asked sees it."""

    id: bytes
    schema: str
    action: str
    entity: str
    operator: int
    answer: bytes | None  # None: it is open.


class CommandRows(Protocol):
    """The outbox, outside of the transactions that fill it. All raise StoreUnavailable."""

    async def open_commands(self, *, rows_max: int) -> Sequence[OpenCommand]:
        """Return the oldest open commands, at most so many of each partition.

        Of one entity only the oldest: what was asked later must not be done earlier.
        """

    async def close(self, answers: Sequence[Answered]) -> Sequence[bytes]:
        """Close what these answer; return the ids of those that were open. Idempotent."""

    async def find(self, command_id: bytes) -> CommandRow | None:
        """Return a command as it stands."""

    async def of_file(self, entity: str) -> Sequence[CommandRow]:
        """Return the commands of all parts of a file, whose entities begin with its own."""


class RegistryWork(Protocol):
    """The registry within a transaction."""

    async def hold(self) -> None:
        """Let nobody else write the registry until the transaction ends."""

    async def read(self, entity: str) -> RegistryChange | None:
        """Return the record of an entity as it is now; it stays so until the transaction ends."""

    async def list(self, kind: str, *, after: str, rows_max: int) -> Sequence[RegistryChange]:
        """Return records of a kind ("outlet", "product/standard") behind an entity, in order."""

    async def find(self, entities: Collection[str]) -> Mapping[str, RegistryChange]:
        """Return the records of those entities that exist."""

    async def write(self, changes: Sequence[RegistryChange]) -> None:
        """Take over changes, each with a higher version than what was read."""

    async def outlet_numbers(self, count: int) -> int:
        """Draw owner numbers for new outlets; return the first of them."""

    async def keep_outlet_numbers(self, through: int) -> None:
        """Draw none up to this one any more."""


class CommandWork(Protocol):
    """The outbox within a transaction."""

    async def add(self, commands: Sequence[NewCommand], *, operator: int) -> None:
        """Keep commands to be sent after the commit."""


class ProposalWork(Protocol):
    """Proposals within a transaction."""

    async def add(self, act: Act, *, version: int, maker: int) -> int:
        """Keep an act for a second person; return its number."""

    async def read(self, number: int) -> Proposal | None:
        """Return a proposal, locked until the transaction ends."""

    async def show(self, number: int) -> Proposal | None:
        """Return a proposal as it stands, without waiting for who decides it."""

    async def list(self, *, is_open: bool, rows_max: int) -> Sequence[Proposal]:
        """Return the latest proposals, newest first; with ``is_open`` only those that wait."""

    async def decide(
        self, number: int, state: ProposalState, *, checker: int, decision: str
    ) -> None:
        """Decide an open one. Raises MakerIsChecker where the database refuses it."""


class AuditWork(Protocol):
    """The audit chain within a transaction."""

    async def add(
        self, caller: Caller | None, act: Act, result: str, more: Mapping[str, Json]
    ) -> int:
        """Append a row behind the last one; return its number. Writers wait for one another."""


class AuditRows(Protocol):
    """The audit, read outside of a transaction that writes. Raises StoreUnavailable."""

    async def latest(
        self, *, entity: str, login: str, before: int, rows_max: int
    ) -> Sequence[AuditRow]:
        """Return rows newest first; empty strings mean any, ``before`` 0 means from the end."""

    async def head(self) -> AuditHead:
        """Return where the chain ends."""

    def chain(
        self,
    ) -> AbstractAsyncContextManager[tuple[AuditHead, AsyncIterator[tuple[AuditRow, bytes]]]]:
        """Open one snapshot: the table's own head, and each row with its hash from the first on."""


class Shelf(Protocol):
    """Where heads are kept outside of the database."""

    @property
    def is_given(self) -> bool:
        """Whether there is any."""

    async def has(self, name: str) -> bool:
        """Whether something of this name was put there. Raises ShelfUnusable."""

    async def put(self, name: str, content: Mapping[str, object]) -> str:
        """Keep a content under a new name; return where. Raises ShelfUnusable, NameTaken."""


class OperatorWork(Protocol):
    """Operators within a transaction."""

    async def has_approver(self) -> bool:
        """Whether anybody can approve now, whatever it is: see Operator.can_act_everywhere."""

    async def hold(self) -> None:
        """Let nobody else change rights until the transaction ends; signing in goes on."""

    async def read(self, login: str) -> Operator | None:
        """Return an operator, locked until the transaction ends."""

    async def find(self, login: str) -> Operator | None:
        """Return an operator as it stands, without waiting for who changes it."""

    async def list(self, *, after: str, rows_max: int) -> Sequence[Operator]:
        """Return operators behind a login, in order; disabled ones too."""

    async def add(self, operator: Operator) -> int:
        """Add an operator whose login is free, and return the new id."""

    async def write(self, operator: Operator) -> None:
        """Write all of an operator that was read."""

    async def others_everywhere(self, role: Role, *, but: int) -> int:
        """Count those of a role for whom Operator.can_act_everywhere holds, without this one."""

    async def open_session(self, session: Session) -> None:
        """Keep a session."""

    async def close_session(self, token_hash: bytes) -> None:
        """Revoke a session from now on; one that is over stays so."""

    async def close_sessions(self, operator: int) -> None:
        """Revoke all sessions of an operator from now on."""


class Work(Protocol):
    """One transaction over all tables of admin: all of it is committed, or nothing."""

    @property
    def registry(self) -> RegistryWork:
        """The registry."""

    @property
    def commands(self) -> CommandWork:
        """The outbox."""

    @property
    def proposals(self) -> ProposalWork:
        """The proposals."""

    @property
    def audit(self) -> AuditWork:
        """The audit."""

    @property
    def operators(self) -> OperatorWork:
        """The operators."""


class Transactions(Protocol):
    """Where work begins."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction: a clean exit commits, an exception rolls back.

        Raises StoreUnavailable; CommitUnknown where the answer of the COMMIT was lost.
        """


class Executor(Protocol):
    """What carries out the actions of one kind of thing."""

    async def target(self, work: Work, act: Act) -> Target | Refused:
        """Find what an act is aimed at; changes nothing."""

    async def execute(
        self, work: Work, act: Act, target: Target, author: Author
    ) -> Mapping[str, Json] | Refused:
        """Do it and return what the asker hears. A refusal has changed nothing."""


class Callers(Protocol):
    """Who is behind a token."""

    async def find(self, token: str) -> Caller | None:
        """Return the operator of a session that is valid now; None otherwise.

        Asked for each request, so that a revoked session ends at once. Raises StoreUnavailable.
        """
