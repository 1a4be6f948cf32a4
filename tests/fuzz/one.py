"""``python -m tests.fuzz.one TARGET SECONDS FOLDER``: one target under a coverage-guided fuzzer.

Ends with the code of libFuzzer: 0 where nothing was found. What it found lies in FOLDER as crash-*.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["libs.iso8583", "libs.registry", "services"]):
    from tests.fuzz.targets import TARGETS

LENGTH_MAX = 2_000


def main() -> None:
    """Fuzz until the time is over; does not return."""
    name, seconds, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = [f"-max_total_time={seconds}", f"-max_len={LENGTH_MAX}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *words, f"-artifact_prefix={folder}/", str(corpus)], target.make())
    atheris.Fuzz()


if __name__ == "__main__":
    main()
