"""What fuzzers found worth keeping: one file for each target, one input a line, in hex."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "kept"
INPUTS_MAX: Final = 400
"""Of one target; the shortest ones are kept."""


def read_corpus(name: str) -> list[bytes]:
    """Return the inputs that are kept for a target."""
    path = FOLDER / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text().split()] if path.exists() else []


def write_corpus(name: str, inputs: Iterable[bytes]) -> int:
    """Keep inputs for a target, the shortest first; return how many."""
    kept = sorted({one for one in inputs if one}, key=lambda one: (len(one), one))[:INPUTS_MAX]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.hex").write_text("".join(f"{one.hex()}\n" for one in kept))
    return len(kept)
