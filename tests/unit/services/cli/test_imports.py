"""The command goes through each service's own door: it imports nobody's store."""

import ast
from collections.abc import Iterator
from pathlib import Path

CLI = Path(__file__).resolve().parents[4] / "services" / "cli"


def imported(source: str) -> Iterator[str]:
    """Yield every module that a source imports, or imports something of."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def stores(source: str) -> list[str]:
    """Return what a source imports of the stores of services."""
    found = [name.split(".") for name in imported(source)]
    return [
        ".".join(parts)
        for parts in found
        if parts[0] == "services" and parts[1] != "cli" and parts[2:3] == ["store"]
    ]


def test_no_module_imports_a_services_store() -> None:
    """Whoever writes a table is the service that owns it."""
    found = {
        str(path.relative_to(CLI)): names
        for path in CLI.rglob("*.py")
        if (names := stores(path.read_text()))
    }

    assert {} == found


def test_one_that_did_would_be_found() -> None:
    """In each way in which it can be written."""
    for line in (
        "import services.admin.store.registry",
        "from services.admin.store import registry",
        "from services.admin.store.registry import RegistryStore",
        "from services.admin import store",
        "def f():\n    from services.admin.store.registry import RegistryStore",
    ):
        assert stores(line), line
    assert not stores("from services.cli.store.schemas import SCHEMAS")
    assert not stores("from services.admin.main import import_registry")
