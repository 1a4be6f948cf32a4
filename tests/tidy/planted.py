"""Small houses with one violation each, and how they look without it."""

from pathlib import Path
from typing import NamedTuple


class Planted(NamedTuple):
    """One file that breaks a rule; the repaired text breaks it no more (None: no such file)."""

    rule: str
    finding: str
    name: str
    text: str
    repaired: str | None = None
    around: tuple[tuple[str, str], ...] = ()  # Files that stand there in both.

    def write(self, root: Path) -> None:
        """Make the house with the violation."""
        self._lay(root, self.text)

    def write_repaired(self, root: Path) -> None:
        """Make the house without it."""
        self._lay(root, self.repaired)

    def _lay(self, root: Path, text: str | None) -> None:
        for name, content in (*self.around, *([(self.name, text)] if text is not None else [])):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)


def lines(count: int) -> str:
    """Return that many lines of Python."""
    return "x = 1\n" * count


def function(count: int) -> str:
    """Return a function of that many lines."""
    return "def long():\n" + "    x = 1\n" * (count - 1)


def service(name: str, *without: str) -> tuple[tuple[str, str], ...]:
    """Return the rooms of a service but those named."""
    rooms = ("README.md", "domain/a.py", "handlers/a.py", "ports.py", "settings.py", "main.py")
    return tuple((f"services/{name}/{room}", "") for room in rooms if room not in without)


def decision(*headings: str, more: int = 0) -> str:
    """Return a decision with these headings."""
    return "# 1. A\n" + "".join(f"## {heading}\n" for heading in headings) + "a\n" * more


FIVE = ("Context", "Decision", "Consequences", "Alternatives", "References")
DRAWING = "# A\n\n## The tree\n\n```\n{}\n```\n"
IS_FULL = (("libs/money/__init__.py", ""),)

PLANTED = (
    Planted(
        "function_sizes",
        "libs/a.py:long has 41 lines, more than 40",
        "libs/a.py",
        function(41),
        function(40),
    ),
    Planted(
        "file_sizes", "libs/a.py has 301 lines, more than 300", "libs/a.py", lines(301), lines(300)
    ),
    Planted(
        "file_sizes",
        "services/a/domain/b.py has 201 lines, more than 200",
        "services/a/domain/b.py",
        lines(201),
        lines(200),
    ),
    Planted(
        "rooms_of_services",
        "services/a has no ports.py",
        "services/a/main.py",
        "",
        None,
        service("b"),
    ),
    Planted(
        "rooms_of_services",
        "services/a/engine is no room of a service",
        "services/a/engine/b.py",
        "",
        None,
        service("a"),
    ),
    Planted(
        "migrations_without_gaps",
        "services/a/migrations are numbered [1, 3]",
        "services/a/migrations/0003_c.sql",
        "",
        None,
        (("services/a/migrations/0001_a.sql", ""),),
    ),
    Planted(
        "migrations_without_gaps",
        "services/a/migrations/2_b.sql is not named NNNN_noun.sql",
        "services/a/migrations/2_b.sql",
        "",
        None,
        (("services/a/migrations/0001_a.sql", ""),),
    ),
    Planted("readmes", "libs/a has no README.md", "libs/a/b.py", "", None, (("libs/c.py", ""),)),
    Planted("top_level", "scripts does not belong at the top level", "scripts/a.sh", ""),
    Planted("python_names", "libs/Money.py is not snake_case", "libs/Money.py", ""),
    Planted(
        "python_names",
        "services/a/utils.py: name what it is; utils says nothing",
        "services/a/utils.py",
        "",
    ),
    Planted(
        "mirrored_tests",
        "tests/unit/libs/b mirrors nothing",
        "tests/unit/libs/b/test_c.py",
        "",
        None,
        (("libs/a/c.py", ""), ("tests/unit/libs/a/test_c.py", "")),
    ),
    Planted(
        "sql_in_store",
        "services/a/handlers/b.py:2 holds SQL; it belongs in a store",
        "services/a/handlers/b.py",
        '"""Insert into the book."""\nQUERY = "INSERT INTO once VALUES (1)"\n',
        '"""Insert into the book."""\n',
        (("services/a/store/b.py", 'QUERY = "select 1 from a"\n'),),
    ),
    Planted(
        "sql_in_store",
        "libs/bus/b.py:1 holds SQL; it belongs in a store",
        "libs/bus/b.py",
        'q = f"select {1} from a"\n',
        'q = "pick one from the list above"\n',
    ),
    Planted(
        "clocks",
        "services/a/main.py:2 reads a clock; take a Clock instead",
        "services/a/main.py",
        "import time\nnow = time.time()\n",
        "import time\ntime.sleep(0)\n",
        (("libs/clock/system.py", "import time\nnow = time.time()\n"),),
    ),
    Planted(
        "clocks",
        "libs/bus/a.py:2 reads a clock; take a Clock instead",
        "libs/bus/a.py",
        "import datetime\nnow = datetime.datetime.now(datetime.UTC)\n",
        "import datetime\n",
    ),
    Planted(
        "clocks",
        "libs/bus/a.py:1 reads a clock; take a Clock instead",
        "libs/bus/a.py",
        "from time import monotonic\n",
        "from time import sleep\n",
    ),
    Planted(
        "environment",
        "libs/a/b.py:2 looks at the environment; settings do that",
        "libs/a/b.py",
        'import os\nname = os.environ["A"]\n',
        "import os\nname = os.getpid()\n",
    ),
    Planted(
        "environment",
        "libs/a/b.py:1 looks at the environment; settings do that",
        "libs/a/b.py",
        "from os import getenv\n",
        "from os import getpid\n",
    ),
    Planted(
        "broad_excepts",
        "services/a/main.py:3 catches everything and goes on",
        "services/a/main.py",
        "try:\n    run()\nexcept Exception:\n    pass\n",
        "try:\n    run()\nexcept Exception:\n    close()\n    raise\n",
    ),
    Planted(
        "broad_excepts",
        "services/a/main.py:3 catches everything and goes on",
        "services/a/main.py",
        "try:\n    run()\nexcept (OSError, BaseException):\n    pass\n",
        "try:\n    run()\nexcept (OSError, ValueError):\n    pass\n",
    ),
    Planted(
        "money_without_float",
        "libs/money/a.py:1 uses a float; money is whole sen",
        "libs/money/a.py",
        "half = 0.5\n",
        "half = 50\n",
    ),
    Planted(
        "money_without_float",
        "services/a/domain/b.py:2 uses a float; money is whole sen",
        "services/a/domain/b.py",
        "amount = 3\nhalf = amount / 2\n",
        "amount = 3\nhalf = amount // 2\n",
    ),
    Planted(
        "tests_explain_themselves",
        "tests/unit/test_a.py:1 test_a has no docstring",
        "tests/unit/test_a.py",
        "def test_a():\n    assert f()\n",
        'def test_a():\n    """It is so."""\n    assert f()\n',
    ),
    Planted(
        "tests_can_fail",
        "tests/unit/test_a.py:1 test_a checks nothing",
        "tests/unit/test_a.py",
        "def test_a():\n    f()\n",
        "def test_a():\n    g()\ndef g():\n    assert f()\n",
    ),
    Planted(
        "no_mocks",
        "tests/unit/test_a.py:1 uses a mock; write a fake in libs/fakes",
        "tests/unit/test_a.py",
        "from unittest.mock import patch\n",
        "from libs.fakes import clock\n",
    ),
    Planted(
        "waivers_have_reasons",
        "libs/a.py:1 waives a rule without a reason",
        "libs/a.py",
        "import a  # noqa: F401\n",
        "import a  # noqa: F401 -- read by its importer\n",
    ),
    Planted(
        "waivers_have_reasons",
        "libs/a.py:1 waives a rule without a reason",
        "libs/a.py",
        "a = b()  # type: ignore[no-untyped-call]\n",
        "a = b()  # type: ignore[no-untyped-call]  # The driver has no types.\n",
    ),
    Planted(
        "todos_have_numbers",
        "libs/a.sql:1 has a TODO without a number",
        "libs/a.sql",
        "-- TODO later\n",
        "-- TODO #12 later\n",
    ),
    Planted(
        "nothing_of_one_machine",
        "deploy/pip.conf:1 names a registry's host or a machine's path",
        "deploy/pip.conf",
        "index-url = https://mirror.example/simple\n",
        "retries = 3\n",
    ),
    Planted(
        "nothing_of_one_machine",
        "docs/a.md:1 names a registry's host or a machine's path",
        "docs/a.md",
        "See /root/notes.\n",
        "See ./notes.\n",
    ),
    Planted(
        "targets_are_documented",
        "Makefile: run says nothing after ##",
        "Makefile",
        "A := 1\nrun:\n\ttrue\n",
        "A := 1\nrun: ## Run it\n\ttrue\n",
    ),
    Planted(
        "pages_name_what_exists",
        "docs/a.md links to b.md, which is not there",
        "docs/a.md",
        "# A\n[b](b.md)\n",
        "# A\n[a](a.md), `docs/a.md`\n```\n[b](b.md)\n```\n",
    ),
    Planted(
        "pages_name_what_exists",
        "docs/a.md names libs/b.py, which is not there",
        "docs/a.md",
        "# A\n`libs/b.py`\n",
        "# A\n`libs/*.py`\n",
    ),
    Planted(
        "pages_have_one_title",
        "docs/a.md has 2 titles; it begins with its only one",
        "docs/a.md",
        "# A\n# B\n",
        "# A\n## B\n",
    ),
    Planted(
        "decisions_are_short",
        "docs/decisions/0001-a.md has the headings Context, Decision",
        "docs/decisions/0001-a.md",
        decision("Context", "Decision"),
        decision(*FIVE),
    ),
    Planted(
        "decisions_are_short",
        "docs/decisions/0001-a.md has 41 lines, more than 40",
        "docs/decisions/0001-a.md",
        decision(*FIVE, more=35),
        decision(*FIVE, more=34),
    ),
    Planted(
        "decisions_are_short",
        "docs/decisions are numbered 0001, 0003",
        "docs/decisions/0003-c.md",
        decision(*FIVE),
        None,
        (("docs/decisions/0001-a.md", decision(*FIVE)),),
    ),
    Planted(
        "tree_is_drawn",
        "README.md draws libs/gold",
        "README.md",
        DRAWING.format("libs/\n  money gold   values"),
        DRAWING.format("libs/\n  money        values"),
        IS_FULL,
    ),
    Planted(
        "tree_is_drawn",
        "README.md does not draw libs/money",
        "README.md",
        DRAWING.format("libs/         nouns"),
        DRAWING.format("libs/         nouns\n  money/"),
        IS_FULL,
    ),
)
