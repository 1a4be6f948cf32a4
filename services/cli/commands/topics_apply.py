"""``lesko topics apply``: make the topics on Kafka what deploy/kafka/topics.toml says."""

import asyncio
from typing import Annotated

import typer

from libs.bus.kafka.admin import TopicsReport, apply_topics
from services.cli.topics_plan import Plan, make_plan, show


def apply(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Make missing topics and repair the settings of others; deletes nothing, may be repeated.

    Exit code 1 when something is left that only a person can repair.
    """
    plan, report = asyncio.run(_apply())
    show(plan, report, as_json=as_json)


async def _apply() -> tuple[Plan, TopicsReport]:
    plan = await make_plan()
    report = await apply_topics(
        plan.kafka, plan.topics, replication=plan.kafka.replication, fixed=plan.fixed
    )
    return plan, report
