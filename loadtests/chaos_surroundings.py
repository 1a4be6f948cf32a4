"""How the surroundings are struck: the broker, the database, everything at once."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Final

import asyncpg

from loadtests.chaos_scene import Scene
from loadtests.chaos_strikes import Strike
from loadtests.commands import CommandFailed

BACKENDS: Final = """
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
       AND application_name LIKE 'card_ledger%' ORDER BY backend_start
"""


class KillKafka(Strike):
    """SIGKILL of the broker; started again with its data."""

    name = "kill -9 Kafka"
    kills = 1

    async def deed(self, scene: Scene) -> None:
        """Kill."""
        await scene.stack.broker.kill()

    async def heal(self, scene: Scene) -> None:
        """Start it again."""
        await scene.stack.broker.start()


class EmptyKafka(KillKafka):
    """The broker's data replaced by nothing while the database lives."""

    name = "Kafka's data replaced by nothing"

    async def heal(self, scene: Scene) -> None:
        """Start it with no data and make the topics, as an operator would."""
        await scene.stack.broker.begin_again()
        await scene.stack.apply_topics()


class FreezeKafka(Strike):
    """SIGSTOP of the broker for long, then SIGCONT."""

    name = "SIGSTOP Kafka"

    async def deed(self, scene: Scene) -> None:
        """Freeze."""
        scene.stack.signal_broker(signal.SIGSTOP)

    async def heal(self, scene: Scene) -> None:
        """Wake it after a while."""
        await asyncio.sleep(scene.freeze_s)
        scene.stack.signal_broker(signal.SIGCONT)


class KillPostgres(Strike):
    """SIGKILL of the postmaster; whoever runs it starts it again."""

    name = "kill -9 postmaster"
    kills = 1
    answers_come = True

    async def deed(self, scene: Scene) -> None:
        """Kill."""
        os.kill(scene.stack.postgres_pids()[0], signal.SIGKILL)


class KillBackend(Strike):
    """SIGKILL of one of the ledger's backends: the server ends all others and recovers."""

    name = "kill -9 a backend of the ledger"
    kills = 1
    answers_come = True

    def __init__(self) -> None:
        self._pid = 0

    async def prepare(self, scene: Scene) -> None:
        """Find it beforehand: in the moment itself nothing should wait."""
        connection = await asyncpg.connect(scene.stack.dsn)
        try:
            found = await connection.fetchval(BACKENDS)
        finally:
            await connection.close()
        if found is None:
            message = "no backend of the ledger is there"
            raise CommandFailed(message)
        self._pid = found

    async def deed(self, scene: Scene) -> None:
        """Kill."""
        del scene
        os.kill(self._pid, signal.SIGKILL)


class FreezePostgres(Strike):
    """SIGSTOP of all processes of PostgreSQL for long, then SIGCONT."""

    name = "SIGSTOP PostgreSQL"

    async def deed(self, scene: Scene) -> None:
        """Freeze."""
        scene.stack.signal_postgres(signal.SIGSTOP)

    async def heal(self, scene: Scene) -> None:
        """Wake it after a while."""
        await asyncio.sleep(scene.freeze_s)
        scene.stack.signal_postgres(signal.SIGCONT)


class KillAll(Strike):
    """SIGKILL of everything: broker, database and all services; started again together."""

    name = "kill -9 everything"

    def __init__(self, members: Sequence[str]) -> None:
        self.kills = len(members) + 2
        self._members = members

    def touched(self) -> Sequence[str]:
        """Name all services."""
        return self._members

    async def deed(self, scene: Scene) -> None:
        """Kill."""
        os.kill(scene.stack.postgres_pids()[0], signal.SIGKILL)
        await asyncio.gather(
            scene.stack.broker.kill(), *(scene.stack[name].kill() for name in self._members)
        )

    async def heal(self, scene: Scene) -> None:
        """Start the services at once and the broker with them: any order will do."""
        await scene.stack.start(*self._members)
        await scene.stack.broker.start()
