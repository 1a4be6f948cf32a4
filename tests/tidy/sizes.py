"""Nothing grows into a hall: functions, files, and domain files above all (DESIGN 8, Size)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import Module, modules

FUNCTION_LINES = 40
FUNCTION_LINES_EVER = 60
FILE_LINES = 300
DOMAIN_FILE_LINES = 200

LONG_ON_PURPOSE: dict[str, str] = {}
"""``path:function`` to the reason why it reads better in one piece; still never over 60."""


def function_sizes(root: Path) -> list[str]:
    """Find functions that want to be two."""
    found, excused = [], set()
    for module in _measured(root):
        for function in _functions(module.tree):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            name = f"{module.name}:{function.name}"
            if name in LONG_ON_PURPOSE and FUNCTION_LINES < lines <= FUNCTION_LINES_EVER:
                excused.add(name)
            elif lines > FUNCTION_LINES:
                found.append(f"{name} has {lines} lines, more than {FUNCTION_LINES}")
    stale = sorted(set(LONG_ON_PURPOSE) - excused)
    return found + [f"{name} needs no excuse any more" for name in stale]


def file_sizes(root: Path) -> list[str]:
    """Find files that hold two concepts."""
    found = []
    for module in _measured(root):
        most = DOMAIN_FILE_LINES if "domain" in module.source.parts else FILE_LINES
        if module.source.lines > most:
            found.append(f"{module.name} has {module.source.lines} lines, more than {most}")
    return found


def _measured(root: Path) -> Iterator[Module]:
    return (m for m in modules(root) if not m.is_generated and not m.is_in("tests"))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
