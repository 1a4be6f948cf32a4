"""Heads of chains as they are noted outside: written by one command, read by another."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.cli.faults import CommandRefused

Heads = dict[int, tuple[int, str]]
"""Batch number and hash (hex) by partition."""


def read_heads(path: Path) -> Heads:
    """Read the ledger's heads from a file that was published; raises CommandRefused."""
    try:
        found = _read(path)["heads"]
        return {
            int(each["partition"]): (int(each["batch_no"]), bytes.fromhex(each["hash"]).hex())
            for each in found
        }
    except (OSError, ValueError, KeyError, TypeError) as problem:
        message = (
            f"{path} holds no heads of the ledger as lesko heads publish and lesko ledger head"
            f" --json write them ({problem})."
        )
        raise CommandRefused(message) from problem


def read_audit_heads(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Read heads of the audit, one of each file, as the API takes them; raises CommandRefused."""
    return [_read_audit_head(path) for path in paths]


def _read_audit_head(path: Path) -> dict[str, Any]:
    try:
        found = _read(path)["audit"]
        return {"no": int(found["no"]), "hash": bytes.fromhex(found["hash"]).hex()}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        message = f"{path} holds no head of the audit as lesko heads publish writes it ({problem})."
        raise CommandRefused(message) from problem


def heads_json(heads: Heads) -> dict[str, object]:
    """Return heads in the form that ``--head`` reads."""
    return {
        "heads": [
            {"partition": partition, "batch_no": number, "hash": digest}
            for partition, (number, digest) in sorted(heads.items())
        ]
    }


def _read(path: Path) -> Any:
    return json.loads(path.read_text())
