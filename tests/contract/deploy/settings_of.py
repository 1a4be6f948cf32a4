"""Which LESKO_* variables a container may have, and what its settings become with them."""

import importlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.settings import Settings as CliSettings
from services.cli.topics_plan import TopicsKnobs
from tests.contract.deploy.stack import Container, Stack

OF_JOBS: dict[str, list[type[BaseModel]]] = {"topics": [TopicsKnobs], "seed": [LedgerSettings]}
"""What the jobs read besides the settings of the command itself."""


def classes_of(container: Container) -> list[type[BaseModel]]:
    """Return the settings that the process in a container reads."""
    words = container.arguments or [""]
    return [CliSettings, *OF_JOBS.get(words[0], []), *map(settings_of, container.serves)]


def settings_of(service: str) -> type[BaseModel]:
    """Return the settings of a service."""
    found: type[BaseModel] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def variables_of(kind: type[BaseModel], prefix: str = "LESKO_") -> dict[str, Any]:
    """Return every variable that a settings class reads, with the type behind it."""
    found: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        inner = [each for each in _kinds(field.annotation) if _is_model(each)]
        if inner:
            found |= variables_of(inner[0], f"{variable}__")
        else:
            found[variable] = field.annotation
    return found


def is_known(variable: str, kinds: list[type[BaseModel]]) -> bool:
    """Tell whether one of these classes reads a variable, or the file that it names."""
    known = {name: kind for each in kinds for name, kind in variables_of(each).items()}
    base = variable.removesuffix("_FILE")
    return variable in known or (base in known and SecretStr in _kinds(known[base]))


@contextmanager
def inside(container: Container, stack: Stack) -> Iterator[Mapping[str, str]]:
    """Give this process the container's variables; secrets are freshly made files."""
    with TemporaryDirectory() as folder:
        make_secrets(stack.root, Path(folder))
        variables = {
            name: secret_file(value, container, stack, Path(folder)) or value
            for name, value in container.environment.items()
            if name.startswith("LESKO_")
        }
        before = dict(os.environ)
        try:
            for name in [name for name in os.environ if name.startswith("LESKO_")]:
                del os.environ[name]
            os.environ.update(variables)
            yield variables
        finally:
            os.environ.clear()
            os.environ.update(before)


def secret_file(path: str, container: Container, stack: Stack, folder: Path) -> str | None:
    """Return the made file that a container sees under a path, None for no secret of its."""
    source = container.secrets.get(path)
    if source is None:
        return None
    return str(folder / Path(stack.data["secrets"][source]["file"]).name)


def make_secrets(root: Path, folder: Path) -> str:
    """Run the operator's script; return what it printed."""
    script = root / "deploy" / "docker" / "make-secrets"
    done = subprocess.run(
        ["/bin/sh", script, folder], check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *get_args(annotation))


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
