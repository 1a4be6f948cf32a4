"""What every test owes its reader: a sentence, and a way to fail."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import Module, modules

CHECKS = {"raises", "RaisesGroup", "warns", "fail", "until"}
"""Calls that can turn a test red; ``until`` waits for something and gives up."""
TestFunction = ast.FunctionDef | ast.AsyncFunctionDef


def tests_explain_themselves(root: Path) -> list[str]:
    """Find tests without a sentence that says what they show."""
    return [
        f"{module.name}:{test.lineno} {test.name} has no docstring"
        for module, test in _tests(root)
        if not ast.get_docstring(test)
    ]


def tests_can_fail(root: Path) -> list[str]:
    """Find tests that check nothing, neither themselves nor through a function beside them."""
    found = []
    for module, test in _tests(root):
        checking = _checking_functions(module.tree)
        if not _checks(test, checking):
            found.append(f"{module.name}:{test.lineno} {test.name} checks nothing")
    return found


def no_mocks(root: Path) -> list[str]:
    """Find mocks and patches; fakes are written by hand."""
    return [
        f"{module.name}:{node.lineno} uses a mock; write a fake in libs/fakes"
        for module in modules(root)
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.ImportFrom) and "mock" in (node.module or "").split("."))
        or (isinstance(node, ast.ImportFrom) and any(name.name == "mock" for name in node.names))
        or (isinstance(node, ast.Import) and any("mock" in n.name.split(".") for n in node.names))
        or (isinstance(node, ast.arg) and node.arg == "mocker")
    ]


def _tests(root: Path) -> Iterator[tuple[Module, TestFunction]]:
    for module in modules(root):
        if module.is_in("tests") and module.source.parts[-1].startswith("test_"):
            for node in ast.walk(module.tree):
                if isinstance(node, TestFunction) and node.name.startswith("test_"):
                    yield module, node


def _checking_functions(tree: ast.Module) -> set[str]:
    """Return the functions of a module that assert something."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, TestFunction) and _checks(node, set())
    }


def _checks(function: TestFunction, checking: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in CHECKS or name.startswith("assert_") or name in checking:
                return True
    return False
