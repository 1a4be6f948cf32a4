"""What the page on many machines tells people to type must be what the commands take."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from services.cli.settings import Settings as CliSettings
from services.cli.topics_plan import TopicsKnobs
from tests.contract.deploy.lesko_commands import known_services, problem_of
from tests.contract.deploy.settings_of import is_known, settings_of
from tests.contract.deploy.stack import Stack, read_stack

PAGE = "docs/from-one-machine-to-many.md"
STARTER = "docker-compose.yml"
VARIABLE = re.compile(r"\bLESKO_[A-Z0-9_]*[A-Z0-9]\b")


def page_commands_are_real(root: Path) -> list[str]:
    """Find command lines of the page, and of the compose file's head, that would be refused."""
    stack = read_stack(root)
    return [
        f"{' '.join(words)}: {problem}"
        for words in _command_lines(root)
        for problem in _problems(words, stack)
    ]


def page_variables_are_known(root: Path) -> list[str]:
    """Find LESKO_* variables of the page that nothing reads."""
    named = set(VARIABLE.findall((root / PAGE).read_text()))
    kinds: list[type[BaseModel]] = [CliSettings, TopicsKnobs, *map(settings_of, known_services())]
    return [f"nothing reads {name}" for name in sorted(named) if not is_known(name, kinds)]


def _command_lines(root: Path) -> Iterator[list[str]]:
    blocks = re.findall(r"```\n(.*?)```", (root / PAGE).read_text(), re.DOTALL)
    head = (root / STARTER).read_text().partition("name:")[0]
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line.lstrip("# ") for line in head.splitlines() if line.startswith("#   ")]
    for line in lines:
        words = shlex.split(re.split(r"\s{2,}", line.strip())[0], comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words:
            yield words


def _problems(words: list[str], stack: Stack) -> Iterator[str]:
    if words[0] == "lesko" or words[0].endswith("/lesko"):
        problem = problem_of(words[1:])
        if problem is not None:
            yield problem
    elif words[:2] == ["docker", "compose"]:
        yield from _compose_problems(words[2:], stack)
    elif words[0] == "sh" and not (stack.root / words[1]).exists():
        yield f"{words[1]} is not there"


def _compose_problems(words: list[str], stack: Stack) -> Iterator[str]:
    profiles = {p for c in stack.containers.values() for p in c.raw.get("profiles", [])}
    while words and words[0].startswith("-"):
        if words[0] == "--profile" and words[1] not in profiles:
            yield f"there is no profile {words[1]}"
        words = words[2:]
    named = [word for word in words[1:] if not word.startswith("-")]
    if words[0] not in {"up", "down", "run", "exec", "ps", "logs", "stop", "build", "restart"}:
        yield f"compose cannot {words[0]}"
    if words[0] in {"run", "exec"} or (named and words[0] in {"logs", "stop", "restart", "up"}):
        if named[0] not in stack.containers:
            yield f"there is no container {named[0]}"
        elif named[1:2] == ["lesko"]:
            problem = problem_of(words[words.index("lesko") + 1 :])
            if problem is not None:
                yield problem


RULES = (page_commands_are_real, page_variables_are_known)
