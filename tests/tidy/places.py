"""What may stand in one place only: SQL, clocks, the environment, broad excepts, floats."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import modules, product

SQL = re.compile(
    r"\s*(select\s+[^;]+\sfrom\s|select\s+[\w.]+\(|insert\s+into\s|update\s+[\w.]+\s+set\s"
    r"|delete\s+from\s|with\s+\w+\s+as\s*\(|truncate\s+\w|copy\s+[\w.]+\s*(\(|from|to)|lock\s+table\s"
    r"|(create|alter|drop)\s+(unlogged\s+)?(table|schema|index|role|user|database|function|view)\s"
    r"|(listen|notify|vacuum|analyze|checkpoint)(\s+\w+)?;?\s*$)",
    re.IGNORECASE,
)
CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {
        *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
        *("localtime", "gmtime"),
    },
}
BROAD = {"Exception", "BaseException"}
BROAD_EXCEPTS = {
    "libs/bus/batches.py": "the loop of the bus: whatever a batch does, its partition goes on",
    "services/iso_bridge/handlers/receive_messages.py": "one message never harms other terminals",
    "services/iso_bridge/handlers/answer_requests.py": "one answer never keeps back the others",
    "services/cli/main.py": "the end of a command: a person gets a sentence, not a traceback",
}
ENVIRONMENT: dict[str, str] = {}
"""Modules that may look at the environment themselves, with the reason; settings do it for all."""
MONEY = ("libs/money",)


def sql_in_store(root: Path) -> list[str]:
    """Find SQL outside a service's store and libs/pg."""
    found = []
    for module in product(root):
        if "store" in module.source.parts or module.is_in("libs/pg"):
            continue
        prose = _docstrings(module.tree)
        for node in ast.walk(module.tree):
            text = _text(node)
            if text and id(node) not in prose and SQL.match(text):
                found.append(f"{module.name}:{_line(node)} holds SQL; it belongs in a store")
    return found


def clocks(root: Path) -> list[str]:
    """Find readings of the machine's clocks outside libs/clock."""
    return [
        f"{module.name}:{_line(node)} reads a clock; take a Clock instead"
        for module in product(root)
        if not module.is_in("libs/clock")
        for node in ast.walk(module.tree)
        if any(name in CLOCKS.get(owner, ()) for owner, name in _named(node))
    ]


def environment(root: Path) -> list[str]:
    """Find looks at the environment that go around the settings."""
    asked = {("os", "environ"), ("os", "getenv"), ("os", "environb"), ("os", "putenv")}
    return [
        f"{module.name}:{_line(node)} looks at the environment; settings do that"
        for module in product(root)
        if module.name not in ENVIRONMENT
        for node in ast.walk(module.tree)
        if asked & set(_named(node))
    ]


def broad_excepts(root: Path) -> list[str]:
    """Find excepts that swallow everything; one that always raises again swallows nothing."""
    return [
        f"{module.name}:{node.lineno} catches everything and goes on"
        for module in modules(root)
        if not module.is_in("tests") and module.name not in BROAD_EXCEPTS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    ]


def money_without_float(root: Path) -> list[str]:
    """Find floats and true division where money is decided."""
    return [
        f"{module.name}:{_line(node)} uses a float; money is whole sen"
        for module in modules(root)
        if module.is_in(*MONEY) or "domain" in module.source.parts
        for node in ast.walk(module.tree)
        if _is_float(node)
    ]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "x" for part in node.values)
    return ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the ids of strings that stand alone: prose, not data."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _named(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (owner, name) for ``owner.name`` and for ``from owner import name``."""
    if isinstance(node, ast.Attribute):
        owner = node.value
        if isinstance(owner, ast.Name):
            yield owner.id, node.attr
        elif isinstance(owner, ast.Attribute):
            yield owner.attr, node.attr
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield node.module or "", alias.name


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = [handler.type]
    if isinstance(handler.type, ast.Tuple):
        caught = list(handler.type.elts)
    is_broad = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in caught
    )
    return is_broad and not isinstance(handler.body[-1], ast.Raise)


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.Div)
    return isinstance(node, ast.Name) and node.id in {"float", "Decimal"}
