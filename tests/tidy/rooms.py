"""Every service has the same rooms, every room its name, every shelf its label (DESIGN 8)."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import children, paths, sources

ROOMS = {"README.md", "domain", "handlers", "ports.py", "settings.py", "main.py"}
OPTIONAL_ROOMS = {"__init__.py", "store", "adapters", "api", "migrations"}
COMMAND = "cli"
"""The ``lesko`` command: it composes services for a person, so it has a page but no such rooms."""

TOP_LEVEL = {
    *("services", "libs", "proto", "deploy", "hardware-agent", "loadtests", "tests", "docs"),
    *("Makefile", "docker-compose.yml", "README.md"),
    *("pyproject.toml", ".gitignore", ".dockerignore", ".ci", "LICENSE"),
}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "shared", "core", "base"}
SNAKE = re.compile(r"(__)?[a-z][a-z0-9]*(_[a-z0-9]+)*(__)?")
MIGRATION = re.compile(r"(\d{4})_[a-z][a-z0-9_]*\.sql")


def rooms_of_services(root: Path) -> list[str]:
    """Find services that lack a room or have one of their own invention."""
    found = []
    for service, names in children(root, "services").items():
        has = set(names)
        needs = {"README.md", "main.py"} if service == COMMAND else ROOMS
        found += [f"services/{service} has no {room}" for room in sorted(needs - has)]
        if service != COMMAND:
            extra = sorted(has - ROOMS - OPTIONAL_ROOMS)
            found += [f"services/{service}/{name} is no room of a service" for name in extra]
    return found


def migrations_without_gaps(root: Path) -> list[str]:
    """Find migrations that are misnamed, or whose numbers leave a gap or repeat."""
    found = []
    for service in children(root, "services"):
        numbers = []
        for path in sorted((root / "services" / service / "migrations").glob("*")):
            match = MIGRATION.fullmatch(path.name)
            if match:
                numbers.append(int(match[1]))
            elif path.name not in {"__init__.py", "__pycache__"}:
                found.append(f"{path.relative_to(root)} is not named NNNN_noun.sql")
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"services/{service}/migrations are numbered {numbers}")
    return found


def readmes(root: Path) -> list[str]:
    """Find libraries and services without a README."""
    return [
        f"{folder}/{name} has no README.md"
        for folder in ("libs", "services")
        for name, names in children(root, folder).items()
        if "README.md" not in names
    ]


def top_level(root: Path) -> list[str]:
    """Find entries of the root that DESIGN 8 does not list."""
    names = {path.relative_to(root).parts[0] for path in paths(root)}
    return [f"{name} does not belong at the top level" for name in sorted(names - TOP_LEVEL)]


def python_names(root: Path) -> list[str]:
    """Find modules and packages whose name is not snake_case, or says nothing."""
    found: set[str] = set()
    for source in sources(root):
        if source.name.endswith(".py"):
            found.update(_bad_names(source.parts))
    return sorted(found)


def _bad_names(parts: tuple[str, ...]) -> Iterator[str]:
    for depth, part in enumerate(parts):
        name = part.removesuffix(".py")
        path = "/".join(parts[: depth + 1])
        if name in FORBIDDEN_NAMES:
            yield f"{path}: name what it is; {name} says nothing"
        elif not SNAKE.fullmatch(name) and path != "hardware-agent":
            yield f"{path} is not snake_case"


def mirrored_tests(root: Path) -> list[str]:
    """Find tests that mirror no library or service."""
    return [
        f"tests/{ring}/{floor}/{name} mirrors nothing"
        for ring in children(root, "tests")
        for floor in ("libs", "services")
        for name in children(root, f"tests/{ring}/{floor}")
        if not (root / floor / name).exists()
    ]
