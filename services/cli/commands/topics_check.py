"""``lesko topics check``: compare the topics on Kafka with what they should be."""

import asyncio
from typing import Annotated

import typer

from libs.bus.kafka.admin import TopicsReport, check_topics
from services.cli.topics_plan import Plan, make_plan, show


def check(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show each topic as it is and what is wrong with it; change nothing; exit code 1 if wrong."""
    plan, report = asyncio.run(_check())
    show(plan, report, as_json=as_json)


async def _check() -> tuple[Plan, TopicsReport]:
    plan = await make_plan()
    report = await check_topics(plan.kafka, plan.topics, replication=plan.kafka.replication)
    return plan, report
