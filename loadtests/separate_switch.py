"""The switch under load as separate processes on a Kafka of its own, started and ended by us."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libs.bus.kafka.jars import POM
from libs.bus.kafka.local_broker import LocalBrokerFault
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation, Switch
from loadtests.stack import SERVICES, open_stack
from loadtests.takeover_process import HOST

_KAFKA: Final = re.compile(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\d.]+)</version>")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateSwitch(Switch):
    """A switch whose bus can be read by others."""

    bootstrap: str


@asynccontextmanager
async def serve_separately(
    installation: Installation, dsn: str, work: Path, *, tell: Tell
) -> AsyncIterator[SeparateSwitch]:
    """Run a broker with empty topics and one process a service until the block ends.

    All are ready when the block begins; the broker's data are under ``work``, the caller's to
    remove. ``CommandFailed`` when one does not get ready or is gone before the block.
    """
    try:
        async with open_stack(work, dsn=dsn, installation=installation, tell=tell) as stack:
            await stack.apply_topics()
            for service in SERVICES:
                stack.add(service)
            await stack.start()
            await stack.wait_ready()
            processes = {service: stack[service].pid for service in SERVICES}
            try:
                yield SeparateSwitch(
                    host=HOST,
                    port=stack["iso_bridge"].port,
                    processes=processes | {"kafka": stack.broker.pid},
                    bootstrap=stack.broker.bootstrap,
                )
            except OSError as trouble:  # A port or a process is gone.
                ended = [name for name in SERVICES if not stack[name].is_running]
                told = ", ".join(ended) or "none"
                message = f"the switch did not last ({trouble}); ended: {told}"
                raise CommandFailed(message) from trouble
    except LocalBrokerFault as fault:
        raise CommandFailed(str(fault)) from fault


def broker_version() -> str:
    """Return the version of the broker that is started."""
    found = _KAFKA.search(POM.read_text())
    return found[1] if found else "unknown"
