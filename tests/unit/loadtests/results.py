"""Results as `make load` writes them, small."""

from typing import Any

from loadtests.rounds import EMBEDDED, KAFKA


def a_level(rate: float, **changes: Any) -> dict[str, Any]:
    """Return a level's figures."""
    level = {
        "name": "8 in flight", "in_flight": 8, "offered_per_s": 0, "purchases_per_s": rate,
        "latency_ms": {"p50": 1.5, "p95": 2.0, "p99": 3.0, "p999": 4.0, "max": 150.0},
        "codes": {"00": 10, "62": 1}, "others": {}, "unanswered": 0, "late": 0, "wrong": 0,
        "unsettled": 0, "problems": [], "busy": 0.5, "others_cores": 0.1,
        "cpu_us": {"switch": 100.0, "postgres": None, "driver": 10.0},
    }  # fmt: skip
    return level | changes


def a_round(rate: float, tps: float | None, **changes: Any) -> dict[str, Any]:
    """Return a round of one switch, as the first results have it."""
    return {
        "pgbench": tps and {"tps": tps, "raw": ""},
        "levels": [a_level(rate, **changes)],
        "books": {
            "is_clean": True, "sum": 0, "accounts": 9, "keys": 11, "contradictions": {},
            "examples": [],
        },
        "ledger_verify": {"is_clean": True, "said": ""},
    }  # fmt: skip


def a_result(*rounds: dict[str, Any]) -> dict[str, Any]:
    """Return a whole result."""
    return {
        "name": "embedded", "date": "2026-11-24", "quick": False, "rounds": list(rounds),
        "plan": {"pgbench_scale": 50, "cards": 100_000, "outlets": 2_000, "seconds": 7.0},
        "machine": {
            "cpu": "CPU", "cores": 2, "memory_gb": 16, "kernel": "6.1", "filesystem": "ext4",
        },
        "postgres": {"server_version": "15.1"}, "versions": {"python": "3.11"},
    }  # fmt: skip


def both(embedded: dict[str, Any], kafka: dict[str, Any]) -> dict[str, Any]:
    """Return a result with one round of both switches; the yardstick is the first one's."""
    entries = {
        "is_clean": True, "batches": 7, "transfers": 9, "repeats": 0, "contradictions": {},
    }  # fmt: skip
    yardstick = embedded["pgbench"]
    one = {"pgbench": yardstick, EMBEDDED: embedded, KAFKA: {**kafka, "entries": entries}}
    for switch in (EMBEDDED, KAFKA):
        one[switch].pop("pgbench", None)
    return a_result(one)
