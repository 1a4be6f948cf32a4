"""Make the Python of proto/lesko/v1 again: ``python -m libs.contracts.generate``.

The generated files are committed; a contract test fails when they differ from the sources.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lesko/v1"


def generate(target: Path, root: Path = ROOT) -> None:
    """Write ``*_pb2.py`` and ``*_pb2.pyi`` of every record below ``target``."""
    from grpc_tools import protoc  # noqa: PLC0415 -- a tool of developers, absent at run time

    sources = sorted((root / "proto" / PACKAGE).glob("*.proto"))
    arguments = ["protoc", f"-I{root / 'proto'}", f"--python_out={target}", f"--pyi_out={target}"]
    target.mkdir(parents=True, exist_ok=True)
    if protoc.main([*arguments, *map(str, sources)]) != 0:
        message = "protoc refused the sources; its message stands above"
        raise SystemExit(message)
    for made in (target / PACKAGE).glob("*_pb2.py*"):
        text = made.read_text()
        made.write_text(
            re.sub(r"^from lesko\.v1 ", "from libs.contracts.lesko.v1 ", text, flags=re.MULTILINE)
        )


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
