"""What pages owe their reader: one title, and nothing that is not so."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import Source, sources

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
NAMED_PATH = re.compile(
    r"`((?:services|libs|proto|deploy|hardware-agent|loadtests|tests|docs)/[\w./-]*[\w/])`"
)
HEADINGS = ("Context", "Decision", "Consequences", "Alternatives", "References")
DECISION_LINES = 40


def pages_name_what_exists(root: Path) -> list[str]:
    """Find links and paths in pages that lead nowhere."""
    found = []
    for source in _pages(root):
        folder = (root / source.name).parent
        text = _without_blocks(source.text)
        found += [
            f"{source.name} links to {link}, which is not there"
            for link in LINK.findall(text)
            if not (folder / link).exists()
        ]
        found += [
            f"{source.name} names {path}, which is not there"
            for path in NAMED_PATH.findall(text)
            if not (root / path).exists()
        ]
    return found


def pages_have_one_title(root: Path) -> list[str]:
    """Find pages that do not begin with their only title."""
    found = []
    for source in _pages(root):
        titles = [
            line for line in _without_blocks(source.text).splitlines() if line.startswith("# ")
        ]
        if len(titles) != 1 or not source.text.startswith("# "):
            found.append(f"{source.name} has {len(titles)} titles; it begins with its only one")
    return found


def decisions_are_short(root: Path) -> list[str]:
    """Find decisions that are long, lack one of the five headings, or leave a gap in numbers."""
    found, numbers = [], []
    for source in _pages(root):
        if not source.name.startswith("docs/decisions/"):
            continue
        numbers.append(source.parts[-1][:4])
        headings = tuple(re.findall(r"^## (.+)$", source.text, re.MULTILINE))
        if headings != HEADINGS:
            found.append(f"{source.name} has the headings {', '.join(headings)}")
        if source.lines > DECISION_LINES:
            found.append(f"{source.name} has {source.lines} lines, more than {DECISION_LINES}")
    if numbers != [f"{number:04}" for number in range(1, len(numbers) + 1)]:
        found.append(f"docs/decisions are numbered {', '.join(numbers)}")
    return found


def tree_is_drawn(root: Path) -> list[str]:
    """Find what README.md draws and is not there, and what is there and not drawn."""
    page = root / "README.md"
    text = page.read_text() if page.exists() else ""
    block = re.search(r"^## The tree\n.*?```\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    if block is None:
        return ["README.md draws no tree"]
    drawn = set(_drawn(block[1]))
    found = [f"README.md draws {name}" for name in sorted(drawn) if not (root / name).exists()]
    for folder in ("libs", "services"):
        there = {f"{folder}/{name}" for name in _folders(root / folder)}
        found += [f"README.md does not draw {name}" for name in sorted(there - drawn)]
    return found


def _drawn(block: str) -> Iterator[str]:
    """Read a drawing in which a folder ends with a slash and indentation means inside."""
    inside: list[tuple[int, str]] = []
    for line in block.splitlines():
        words = re.split(r"\s{2,}", line.strip())[0].split()
        depth = len(line) - len(line.lstrip())
        inside = [entry for entry in inside if entry[0] < depth]
        above = "".join(name for _, name in inside)
        for word in words:
            yield above + word.rstrip("/")
        if len(words) == 1 and words[0].endswith("/"):
            inside.append((depth, words[0]))


def _folders(folder: Path) -> list[str]:
    found = folder.iterdir() if folder.exists() else ()
    return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("__"))


def _pages(root: Path) -> Iterator[Source]:
    return (source for source in sources(root) if source.name.endswith(".md"))


def _without_blocks(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)
