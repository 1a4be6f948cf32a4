"""``make fuzz``: every target under a coverage-guided fuzzer, then messages against pyiso8583.

Prints a line for each target, keeps what widened the coverage, and writes a summary with versions.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from libs.clock import SystemClock, business_day
from libs.iso8583 import Codec, load_dialect
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec
from loadtests import machine
from loadtests.program import RESULTS, result_file
from tests.fuzz.corpus import read_corpus, write_corpus
from tests.fuzz.targets import TARGETS, changed_messages, disagreement
from tests.unit.services.iso_bridge.edge import EDC

ROOT: Final = Path(__file__).resolve().parents[2]
MESSAGES: Final = 200_000
SEED: Final = 20_261_125
GRACE_S: Final = 60
_STAT: Final = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)
_COVERED: Final = re.compile(r"cov: (\d+)")


def fuzz(name: str, seconds: int) -> dict[str, Any]:
    """Fuzz one target; return its figures. ``found`` names files with what broke it."""
    with tempfile.TemporaryDirectory(prefix="lesko-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, one in enumerate(read_corpus(name)):
            (corpus / f"kept-{number}").write_bytes(one)
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.one", name, str(seconds), folder],
            cwd=ROOT, capture_output=True, text=True, timeout=seconds + GRACE_S, check=False,
        )  # fmt: skip
        found = sorted(Path(folder).glob("crash-*"))
        broke = [path.read_bytes().hex() for path in found]
        kept = write_corpus(name, (path.read_bytes() for path in corpus.iterdir()))
        stats = dict(_STAT.findall(done.stderr))
        covered = _COVERED.findall(done.stderr)
        return {
            "target": name,
            "runs": int(stats.get("number_of_executed_units", 0)),
            "covered": int(covered[-1]) if covered else 0,
            "kept": kept,
            "exit_code": done.returncode,
            "broke": broke,
            "said": done.stderr[-800:] if done.returncode else "",
        }


def agree(count: int) -> dict[str, Any]:
    """Compare so many changed and random messages with pyiso8583; raises where values differ."""
    dialect = load_dialect(EDC)
    codec, oracle = Codec(dialect), Pyiso8583Codec(dialect)
    words = {"": "alike", "theirs": "only pyiso8583 reads it", "filled": "filled otherwise"}
    found = Counter(
        words.get(said := disagreement(codec, oracle, message), said)
        for message in changed_messages(count=count, seed=SEED)
    )
    return {"messages": count, "seed": SEED, **found}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=90, help="of each target (default 90)")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def main() -> int:
    """Fuzz all; 1 where anything was found, 2 where there is no fuzzer."""
    asked = _asked()
    try:
        fuzzer = version("atheris")
    except PackageNotFoundError:
        print("atheris is not installed: .venv/bin/pip install atheris", file=sys.stderr)
        return 2
    began, targets = time.monotonic(), []
    for name in TARGETS:
        figures = fuzz(name, asked.seconds)
        targets.append(figures)
        state = "fails" if figures["exit_code"] else "holds"
        print(f"{name:10} {state}: {figures['runs']:,} inputs, coverage {figures['covered']:,}")
        for one in figures["broke"]:
            print(f"  broken by {one}")
    agreement = agree(asked.messages)
    print(f"pyiso8583  {agreement}")
    result = {
        "name": "fuzz",
        "seconds": round(time.monotonic() - began),
        "machine": machine.describe(ROOT),
        "versions": machine.versions() | {"atheris": fuzzer},
        "targets": targets,
        "agreement": agreement,
    }
    day = business_day(SystemClock().now_ms(), ZoneInfo("UTC"))
    asked.results.mkdir(parents=True, exist_ok=True)
    result_file(asked.results, day, "fuzz").write_text(json.dumps(result, indent=1) + "\n")
    return 1 if any(one["exit_code"] for one in targets) or "ours" in agreement else 0


if __name__ == "__main__":
    sys.exit(main())
