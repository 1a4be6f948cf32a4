"""docker-compose.yml as a compose engine reads it; no rule is judged here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.contract.deploy.image import Image, read_image

FILE = "docker-compose.yml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DURATION = re.compile(r"(?:(\d+)m)?(?:(\d+)s)?")
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Port(NamedTuple):
    """A port of a container that this machine offers."""

    address: str  # Empty: all addresses of the machine.
    published: int
    target: int


class Mount(NamedTuple):
    """A folder, file or volume inside a container."""

    source: str
    target: str
    is_read_only: bool

    @property
    def is_path(self) -> bool:
        """Whether it comes from the repository and is no named volume."""
        return self.source.startswith(("./", "/", "~"))


class Container:
    """One entry under ``services``."""

    def __init__(self, name: str, raw: Mapping[str, Any], image: Image) -> None:
        self.name = name
        self.raw = raw
        self.image = str(raw.get("image", ""))
        self.is_ours = "build" in raw
        self._made = image

    @property
    def is_job(self) -> bool:
        """Whether it does one thing and ends."""
        return self.raw.get("restart") == "no"

    @property
    def grace(self) -> str:
        """How long it may take to stop."""
        return str(self.raw.get("stop_grace_period", "10s"))

    @property
    def words(self) -> list[str]:
        """The command line: entrypoint and command."""
        entry = self.raw.get("entrypoint") or (self._made.entrypoint if self.is_ours else [])
        command = self.raw.get("command") or (self._made.command if self.is_ours else [])
        return [*entry, *command]

    @property
    def arguments(self) -> list[str] | None:
        """What follows ``lesko``; None where something else runs."""
        return self.words[1:] if self.words[:1] == ["lesko"] else None

    @property
    def serves(self) -> list[str]:
        """The services that it runs."""
        words = self.arguments or []
        return (
            [word for word in words[1:] if not word.startswith("-")]
            if words[:1] == ["serve"]
            else []
        )

    @property
    def environment(self) -> dict[str, str]:
        """Its variables: those of the image, then its own."""
        own = {name: str(value) for name, value in (self.raw.get("environment") or {}).items()}
        return {**(self._made.environment if self.is_ours else {}), **own}

    @property
    def secrets(self) -> dict[str, str]:
        """Path inside to the name of the secret."""
        found = {}
        for secret in self.raw.get("secrets", []):
            named = {"source": secret} if isinstance(secret, str) else secret
            target = named.get("target", named["source"])
            found[f"/run/secrets/{target}"] = str(named["source"])
        return found

    @property
    def mounts(self) -> list[Mount]:
        """Its volumes, in the short form that we use."""
        parts = [str(each).split(":") for each in self.raw.get("volumes", [])]
        return [Mount(part[0], part[1], part[2:] == ["ro"]) for part in parts]

    @property
    def ports(self) -> list[Port]:
        """What it publishes."""
        found = []
        for text in self.raw.get("ports", []):
            address, _, rest = str(text).rpartition(":")
            address, _, published = address.rpartition(":")
            found.append(Port(address, int(published), int(rest)))
        return found

    @property
    def networks(self) -> set[str]:
        """Where it can be reached."""
        return set(self.raw.get("networks", ["default"]))

    @property
    def depends_on(self) -> dict[str, Mapping[str, Any]]:
        """Whom it waits for, and how."""
        return dict(self.raw.get("depends_on", {}))

    @property
    def health_words(self) -> list[str]:
        """What asks for its health; empty for nothing."""
        own = self.raw.get("healthcheck", {})
        if own.get("disable"):
            return []
        if "test" in own:
            return [str(word) for word in own["test"][1:]]
        return self._made.health if self.is_ours else []

    @property
    def limits(self) -> Mapping[str, Any]:
        """What it may use."""
        return dict(self.raw.get("deploy", {}).get("resources", {}).get("limits", {}))


class Stack(NamedTuple):
    """The whole file."""

    root: Path
    data: Mapping[str, Any]
    image: Image

    @property
    def containers(self) -> dict[str, Container]:
        """All entries by name."""
        services = self.data["services"]
        return {name: Container(name, raw, self.image) for name, raw in services.items()}

    @property
    def of_lesko(self) -> list[Container]:
        """Those that run the ``lesko`` command."""
        return [each for each in self.containers.values() if each.arguments is not None]

    def waited_for(self, name: str) -> set[str]:
        """Return all that a container waits for, and what those wait for."""
        containers = self.containers
        found: set[str] = set()
        waiting = [name]
        while waiting:
            container = containers.get(waiting.pop())
            fresh = set(container.depends_on if container else ()) - found
            found |= fresh
            waiting += fresh
        return found


def read_stack(root: Path) -> Stack:
    """Read compose file and Dockerfile below ``root``."""
    return Stack(root, parse((root / FILE).read_text()), read_image(root))


def parse(text: str) -> Any:
    """Read YAML; the parser in C is many times faster, where PyYAML has it."""
    return yaml.load(text, Loader=LOADER)


def repeated_keys(text: str) -> Iterator[str]:
    """Yield keys that stand twice in one mapping; the parser would take the last one silently."""
    top = yaml.compose(text, Loader=LOADER)
    waiting: list[Any] = [top]
    seen = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            yield from sorted({key for key in keys if keys.count(key) > 1})
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def seconds_of(duration: str) -> int:
    """Return ``1m30s`` in seconds."""
    found = DURATION.fullmatch(duration)
    assert found is not None, duration
    return 60 * int(found[1] or 0) + int(found[2] or 0)


def bytes_of(size: str) -> int:
    """Return ``512M`` in bytes."""
    return int(size[:-1]) * SIZES[size[-1]]
