"""What ``lesko topics`` wants the topics to be, and how it shows what they are."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import typer
from pydantic import Field, SecretStr

from libs.bus import TopicSettings, load_topics, with_partitions
from libs.bus.kafka.admin import Finding, TopicsReport
from libs.bus.kafka.settings import KafkaSettings
from libs.contracts import topics as names
from libs.pg import open_pool
from libs.settings import LeskoSettings, address_of
from services.card_ledger.settings import LedgerKnobs
from services.cli.faults import CommandRefused
from services.cli.logins import logins_of
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings
from services.cli.store.ledger_partitions import stored_partitions

TOPICS_FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "topics.toml"
OF_THE_LEDGER: Final = (names.REQUESTS, names.COMMANDS, names.ENTRIES)
"""Topics with as many partitions as the books."""
SHOWN: Final = ("min.insync.replicas", "retention.ms", "cleanup.policy", "max.message.bytes")
MS_PER_DAY: Final = 86_400_000


class KafkaPart(KafkaSettings):
    """LESKO_KAFKA__*, with what only making topics needs."""

    replication: int | None = Field(default=None, ge=1, le=9)  # None: 3, or as brokers there are.


class TopicsKnobs(LeskoSettings):
    """What the settings of others say about topics."""

    kafka: KafkaPart | None = None
    card_ledger: LedgerKnobs = LedgerKnobs()


class Plan(NamedTuple):
    """What is wanted."""

    kafka: KafkaPart
    topics: Mapping[str, TopicSettings]
    fixed: frozenset[str]  # Topics whose number of partitions nobody may change.
    findings: tuple[Finding, ...]  # What is wrong before Kafka is asked.


async def make_plan() -> Plan:
    """Read the file of topics and how many partitions the ledger has.

    Raises CommandRefused without LESKO_KAFKA__BOOTSTRAP, and whatever a database that is named but
    cannot be read raises: its number must not be guessed.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # What it says we say in a sentence.
    knobs = TopicsKnobs()
    if knobs.kafka is None:
        message = (
            "LESKO_KAFKA__BOOTSTRAP is not set: it says which Kafka to use, as host:port. "
            "(Without it all services share one process and need no topics.)"
        )
        raise CommandRefused(message)
    partitions, findings = await _ledger_partitions(knobs)
    topics = with_partitions(load_topics(TOPICS_FILE), dict.fromkeys(OF_THE_LEDGER, partitions))
    fixed = frozenset({*OF_THE_LEDGER, *map(names.dead_letters, OF_THE_LEDGER)})
    return Plan(knobs.kafka, topics, fixed, findings)


async def _ledger_partitions(knobs: TopicsKnobs) -> tuple[int, tuple[Finding, ...]]:
    asked, dsn = knobs.card_ledger.partitions, _ledger_dsn(Settings())
    if dsn is None:
        return asked, ()
    async with open_pool(dsn, name="lesko topics", size=1) as pool:
        stored = await stored_partitions(pool)
    if stored in (None, asked):
        return asked, ()
    where = f"the books in {address_of(dsn)}"
    finding = Finding(where, "LESKO_CARD_LEDGER__PARTITIONS", str(asked), str(stored))
    return stored or asked, (finding,)


def _ledger_dsn(settings: Settings) -> SecretStr | None:
    """Return how the books are read: by the ledger's login, before it is made by the owner's."""
    logins = logins_of(settings, settings.postgres.dsn)
    is_there = logins.base is not None or logins.is_given("card_ledger")
    return logins.any_of(["card_ledger"]) if is_there else None


def show(plan: Plan, report: TopicsReport, *, as_json: bool) -> None:
    """Write the report; leaves with exit code 1 when something is wrong."""
    findings = [*plan.findings, *report.findings]
    if as_json:
        write_json(_as_json(report, findings))
    else:
        _write(report, findings)
    if any(finding.is_wrong for finding in findings):
        raise typer.Exit(1)


def _as_json(report: TopicsReport, findings: list[Finding]) -> dict[str, object]:
    return {
        "brokers": report.brokers,
        "replication": report.replication,
        "changes": [change._asdict() for change in report.changes],
        "topics": [
            {
                "topic": state.name,
                "partitions": state.partitions,
                "replicas": state.replicas,
                "in_sync": state.in_sync,
                **{name: state.configs.get(name, "") for name in SHOWN},
            }
            for state in report.states
        ],
        "findings": [finding._asdict() for finding in findings],
    }


def _write(report: TopicsReport, findings: list[Finding]) -> None:
    console = screen()
    rows = [
        (
            state.name,
            str(state.partitions),
            f"{state.in_sync}/{state.replicas}",
            state.configs.get("min.insync.replicas", ""),
            _days(state.configs.get("retention.ms", ""), state.configs.get("cleanup.policy", "")),
            state.configs.get("max.message.bytes", ""),
        )
        for state in report.states
    ]
    columns = ("topic", "partitions", "in sync", "min in sync", "days kept", "bytes at most")
    if rows:
        write_table(console, columns, rows)
    if report.changes:
        write_table(console, ("changed", "what", "before", "now"), report.changes)
    if findings:
        rows_of_findings = [
            ("WRONG" if each.is_wrong else "note", each.topic, each.what, each.found, each.wanted)
            for each in findings
        ]
        write_table(console, ("", "topic", "what", "found", "should be"), rows_of_findings)
    else:
        console.print("All topics are as they should be.")


def _days(retention_ms: str, policy: str) -> str:
    """Say for how long records are kept."""
    if "delete" not in policy.split(","):
        return "the newest of each key"
    if not retention_ms.isdecimal():
        return "for ever"
    text = f"{int(retention_ms) / MS_PER_DAY:g}"
    return text if policy == "delete" else f"{text}, {policy}"
