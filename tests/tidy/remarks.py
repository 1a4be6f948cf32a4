"""What comments, waivers and settings owe their reader, in every text file of the house."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import Source, sources

HERE = "tests/tidy/"
"""These files name what they look for."""
WAIVER = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
REASON = re.compile(r" -- \w|\]  # \w")
"""After dashes; behind a type waiver mypy wants a comment of its own."""
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)")
FOREIGN = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|proxy\.golang\.org|sum\.golang\.org|crates\.io"
    r"|maven\.apache\.org|repo1\.maven|deb\.debian\.org|index-url|find-links"
)
MACHINE = re.compile(r"(?<![\w.$}/-])/(work|root|home)/")


def waivers_have_reasons(root: Path) -> list[str]:
    """Find lint or type waivers that do not say why."""
    found = []
    for source in _written(root):
        if not source.name.endswith(".py"):
            continue
        for number, line in enumerate(source.text.splitlines(), start=1):
            match = WAIVER.search(line)
            if match and not REASON.search(match["rest"]):
                found.append(f"{source.name}:{number} waives a rule without a reason")
    return found


def todos_have_numbers(root: Path) -> list[str]:
    """Find promises that nobody filed."""
    return [
        f"{source.name}:{number} has a TODO without a number"
        for source in _written(root)
        for number, line in enumerate(source.text.splitlines(), start=1)
        if TODO.search(line)
    ]


def nothing_of_one_machine(root: Path) -> list[str]:
    """Find hosts of package registries and paths of somebody's machine."""
    return [
        f"{source.name}:{number} names a registry's host or a machine's path"
        for source in _written(root)
        for number, line in enumerate(source.text.splitlines(), start=1)
        if FOREIGN.search(line) or MACHINE.search(line)
    ]


def targets_are_documented(root: Path) -> list[str]:
    """Find make targets that ``make help`` does not show."""
    makefile = root / "Makefile"
    lines = makefile.read_text().splitlines() if makefile.exists() else []
    return [
        f"Makefile: {line.partition(':')[0]} says nothing after ##"
        for line in lines
        if re.match(r"[a-z][a-z0-9 -]*:(?!=)", line) and "## " not in line
    ]


def _written(root: Path) -> Iterator[Source]:
    return (source for source in sources(root) if not source.name.startswith(HERE))
