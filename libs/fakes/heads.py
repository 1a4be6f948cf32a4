"""A place for heads that is no disk."""

from collections.abc import Mapping


class MemoryShelf:
    """Heads in memory."""

    def __init__(self) -> None:
        self.is_given = True
        self.trouble: Exception | None = None
        self.kept: dict[str, Mapping[str, object]] = {}

    async def has(self, name: str) -> bool:
        """Whether something of this name was put there."""
        return name in self.kept

    async def put(self, name: str, content: Mapping[str, object]) -> str:
        """Keep a content. Raises the trouble that a test has made."""
        if self.trouble is not None:
            raise self.trouble
        assert name not in self.kept
        self.kept[name] = content
        return name
