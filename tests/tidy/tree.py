"""The files of a house as rules see them: each read and parsed once, ignored ones left out."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

GENERATED = "libs/contracts/lesko/"


class Source(NamedTuple):
    """One text file of the house."""

    name: str  # Its path from the root, with slashes.
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of its folders and its own."""
        return tuple(self.name.split("/"))

    @property
    def lines(self) -> int:
        """How long it is."""
        return len(self.text.splitlines())


class Module(NamedTuple):
    """One Python file, parsed."""

    name: str
    source: Source
    tree: ast.Module

    @property
    def is_generated(self) -> bool:
        """Whether nobody wrote it."""
        return self.name.startswith(GENERATED)

    def is_in(self, *folders: str) -> bool:
        """Tell whether it stands below one of these folders."""
        return any(self.name.startswith(f"{folder}/") for folder in folders)


@cache
def paths(root: Path) -> tuple[Path, ...]:
    """Return every file below ``root`` that .gitignore does not name; git itself is not needed."""
    ignored = [".git", *_ignored(root)]
    return tuple(sorted(_walk(root, root, ignored)))


def _ignored(root: Path) -> list[str]:
    listed = root / ".gitignore"
    lines = listed.read_text().splitlines() if listed.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _walk(folder: Path, root: Path, ignored: list[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        if any(_matches(path, root, pattern) for pattern in ignored):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, root, ignored)
        else:
            yield path


def _matches(path: Path, root: Path, pattern: str) -> bool:
    """Know the forms of .gitignore that we use: a name anywhere, or a path from the root."""
    bare = pattern.rstrip("/")
    if "/" in bare:
        return fnmatch(path.relative_to(root).as_posix(), bare.lstrip("/"))
    return fnmatch(path.name, bare)


@cache
def sources(root: Path) -> tuple[Source, ...]:
    """Return every text file."""
    return tuple(_read(root))


def _read(root: Path) -> Iterator[Source]:
    for path in paths(root):
        try:
            yield Source(path.relative_to(root).as_posix(), path.read_text())
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # Binary, or gone since it was listed.


@cache
def modules(root: Path) -> tuple[Module, ...]:
    """Return every Python file, parsed."""
    return tuple(
        Module(source.name, source, ast.parse(source.text))
        for source in sources(root)
        if source.name.endswith(".py")
    )


def product(root: Path) -> Iterator[Module]:
    """Return what runs in production: libs and services, without what was generated."""
    return (m for m in modules(root) if m.is_in("libs", "services") and not m.is_generated)


def children(root: Path, folder: str) -> dict[str, list[str]]:
    """Return the names directly below each direct subfolder of a folder: ``services/x`` → names."""
    found: dict[str, set[str]] = {}
    depth = folder.count("/") + 1
    for path in paths(root):
        parts = path.relative_to(root).parts
        if "/".join(parts[:depth]) == folder and len(parts) > depth + 1:
            found.setdefault(parts[depth], set()).add(parts[depth + 1])
    return {name: sorted(names) for name, names in found.items()}
