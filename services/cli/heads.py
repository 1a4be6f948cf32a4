"""Heads of the books as they are noted outside: written by one command, read by another."""

import json
from pathlib import Path

from services.cli.faults import CommandRefused

Heads = dict[int, tuple[int, str]]
"""Batch number and hash (hex) by partition."""


def read_heads(path: Path) -> Heads:
    """Read heads as ``lesko ledger head --json`` wrote them; raises CommandRefused."""
    try:
        found = json.loads(path.read_text())["heads"]
        return {
            int(each["partition"]): (int(each["batch_no"]), bytes.fromhex(each["hash"]).hex())
            for each in found
        }
    except (OSError, ValueError, KeyError, TypeError) as problem:
        message = f"{path} holds no heads as lesko ledger head --json writes them ({problem})."
        raise CommandRefused(message) from problem


def heads_json(heads: Heads) -> dict[str, object]:
    """Return heads in the form that ``--head`` reads."""
    return {
        "heads": [
            {"partition": partition, "batch_no": number, "hash": digest}
            for partition, (number, digest) in sorted(heads.items())
        ]
    }
