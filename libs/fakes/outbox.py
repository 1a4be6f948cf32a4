"""Admin's outbox in memory, as its sender and its readers see it, and whose turn it is."""

from collections.abc import Sequence

from services.admin.ports import Answered, CommandRow, OpenCommand


class MemoryOutbox:
    """Commands in the order in which they were added; ``trouble`` is raised while it is set."""

    def __init__(self) -> None:
        self._commands: dict[bytes, tuple[OpenCommand, CommandRow]] = {}
        self.trouble: Exception | None = None

    def add(self, command: OpenCommand, *, entity: str = "", action: str = "card.block") -> None:
        """Keep a command of operator 1."""
        row = CommandRow(command.id, command.schema, action, entity or command.id.hex(), 1, None)
        self._commands[command.id] = command, row

    async def open_commands(self, *, rows_max: int) -> Sequence[OpenCommand]:
        """Return the oldest open ones, at most so many of each partition, one of each entity."""
        self._look()
        found: list[OpenCommand] = []
        entities: set[str] = set()
        for command, row in self._commands.values():
            if row.answer is not None or row.entity in entities:
                continue
            entities.add(row.entity)
            place = [(one.topic, one.partition) for one in found]
            if place.count((command.topic, command.partition)) < rows_max:
                found.append(command)
        return found

    async def close(self, answers: Sequence[Answered]) -> Sequence[bytes]:
        """Close what is open."""
        self._look()
        closed = []
        for one in answers:
            command, row = self._commands.get(one.id, (None, None))
            if command and row and row.answer is None and row.schema == one.schema:
                self._commands[one.id] = command, row._replace(answer=one.answer)
                closed.append(one.id)
        return closed

    async def find(self, command_id: bytes) -> CommandRow | None:
        """Return a command."""
        self._look()
        found = self._commands.get(command_id)
        return None if found is None else found[1]

    async def of_file(self, entity: str) -> Sequence[CommandRow]:
        """Return the parts of a file."""
        rows = [row for _, row in self._commands.values()]
        return [row for row in rows if row.entity.startswith(f"{entity}/")]

    def _look(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class MemoryTurns:
    """Whose turn it is, as a test says: ours as long as there is a number."""

    def __init__(self) -> None:
        self.number: int | None = 1

    async def turn(self, log: str) -> int | None:
        """Return the number of our turn."""
        return self.number
