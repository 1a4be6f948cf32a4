"""Operators as tests know them: who asks, who is behind a token, and what carries an act out."""

from collections.abc import Mapping

from services.admin.domain.act import Act, Json, Target
from services.admin.domain.refusal import Refused
from services.admin.domain.role import Caller, Role, Scope
from services.admin.ports import Author, NewCommand, Work


class NoteExecutor:
    """Keeps one text for each entity; what ``refusal`` says is refused, and it counts effects."""

    def __init__(self, *, target: Target | None = None) -> None:
        self.target_now: Target | Refused = target or Target()
        self.refusal: Refused | None = None
        self.done: list[tuple[Act, Author]] = []

    async def target(self, work: Work, act: Act) -> Target | Refused:
        """Find what the test says is there."""
        return self.target_now

    async def execute(
        self, work: Work, act: Act, target: Target, author: Author
    ) -> Mapping[str, Json] | Refused:
        """Count it, and send a command to show that it commits with the rest."""
        if self.refusal is not None:
            return self.refusal
        self.done.append((act, author))
        number = len(self.done).to_bytes(16, "big")
        command = NewCommand(
            number, "topic", 0, b"", "schema", b"", act.action, act.entity, act.reason
        )
        await work.commands.add([command], operator=author.maker)
        return {"entity": act.entity}


class MemoryCallers:
    """Who is behind which token."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    async def find(self, token: str) -> Caller | None:
        """Return who it is."""
        return self._callers.get(token)


def a_caller(
    role: Role, *, operator: int = 1, scope: Scope | None = None, has_factor: bool | None = None
) -> Caller:
    """Return an operator; an approver has shown a second factor unless the test says otherwise."""
    has_one = role is Role.APPROVER if has_factor is None else has_factor
    return Caller(operator, f"operator{operator}", role, scope or Scope(), has_one)
