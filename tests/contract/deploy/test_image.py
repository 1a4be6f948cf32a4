"""What the image holds is enough to run, and its .dockerignore is read as engines read it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.deploy.image import kept_out, lay_out
from tests.contract.deploy.planted import ROOT

LOOK = """
import sys
from pathlib import Path
import libs
from libs.bus import load_topics
from libs.iso8583 import load_dialect
from libs.pg import read_migrations
from services.cli.topics_plan import TOPICS_FILE
from services.cli.main import build_app
from services.cli.seeding.rules import read_rules
from services.cli.store.schemas import SCHEMAS
from services.iso_bridge.settings import BridgeKnobs

here = Path(sys.argv[1])
assert Path(libs.__file__).is_relative_to(here), libs.__file__
assert Path(TOPICS_FILE).is_relative_to(here), TOPICS_FILE
build_app(), load_topics(TOPICS_FILE), read_rules()
load_dialect(BridgeKnobs().dialect_directory)
print(sum(len(read_migrations(folder)) for folder in SCHEMAS.values()))
"""


def look(home: Path) -> subprocess.CompletedProcess[str]:
    """Start Python on the files of an image, and read all data that the processes read."""
    return subprocess.run(
        [sys.executable, "-c", LOOK, str(home)],
        cwd=home,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_holds_all_that_the_processes_read(tmp_path: Path) -> None:
    """Code, migrations, topics, dialect and demo rules are found where the image has them."""
    lay_out(ROOT, tmp_path)

    done = look(tmp_path / "opt" / "lesko")

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list(ROOT.glob("services/*/migrations/*.sql")))


@pytest.mark.parametrize("lost", ["proto/iso8583/edc/fields.toml", "deploy/kafka/topics.toml"])
def test_would_notice_a_file_that_is_missing(tmp_path: Path, lost: str) -> None:
    """An image without it does not start, so the test above can fail."""
    lay_out(ROOT, tmp_path)
    (tmp_path / "opt" / "lesko" / lost).unlink()

    assert look(tmp_path / "opt" / "lesko").returncode != 0


def test_sends_neither_tests_nor_secrets(tmp_path: Path) -> None:
    """Only what runs is in the image."""
    lay_out(ROOT, tmp_path)

    names = {path.name for path in (tmp_path / "opt" / "lesko").iterdir()}
    assert names == {
        "libs",
        "services",
        "proto",
        "deploy",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    }
    assert not list(tmp_path.rglob("secrets"))


@pytest.mark.parametrize(
    ("path", "is_out"),
    [
        ("kept", False),
        ("kept/a", False),
        ("kept/out", True),
        ("kept/out/b", True),
        ("other", True),
        ("folder/back", False),
        ("folder/other", True),
        ("kept/deep/__pycache__/c", True),
    ],
)
def test_reads_patterns_as_engines_do(tmp_path: Path, path: str, *, is_out: bool) -> None:
    """The last line that fits a path or its parent decides; ! takes it back."""
    (tmp_path / ".dockerignore").write_text("*\n!kept\n!folder/back\nkept/out\n**/__pycache__\n")

    assert is_out == kept_out(tmp_path, path)
