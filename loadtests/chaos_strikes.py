"""What can strike, and how services are struck; each kind knows what heals it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from loadtests.chaos_scene import BRIDGES, Moment, Scene

TWIN: Final = "-twin"
"""How members are called that are there to end by themselves."""


class Strike:
    """One way to strike. ``kills``: processes that end by it, at once or at a crash point."""

    name = ""
    kills = 0
    is_quiet = False  # It hits nobody.
    crosses = False  # Some purchases go to both bridges at once.
    answers_come = False  # What was booked is answered without a reversal, once healed in time.

    async def prepare(self, scene: Scene) -> None:
        """Bring up what the round needs besides."""

    async def hit(self, scene: Scene) -> Moment:
        """Strike and return what stood open; what was held goes on, if it was not hit."""
        moment = await scene.strike(BRIDGES, self.deed)
        scene.wake(BRIDGES)
        return moment

    async def deed(self, scene: Scene) -> None:
        """Do what strikes."""

    async def heal(self, scene: Scene) -> None:
        """Do what an operator or a supervisor would do."""

    async def restore(self, scene: Scene) -> None:
        """Put away what the round had besides; the terminals have settled by now."""

    def touched(self) -> Sequence[str]:
        """Name the members that may be other processes afterwards."""
        return ()

    def serving(self, scene: Scene) -> list[str]:
        """Name the members that must be healthy once healed."""
        return [name for name in scene.stack.members if not name.endswith(TWIN)]

    async def judge(self, scene: Scene) -> dict[str, Any]:
        """Return what else was seen; ``problems`` among it makes the round red."""
        del scene
        return {}


class Kill(Strike):
    """SIGKILL of members, all at once; started again at once."""

    def __init__(self, *members: str, name: str = "") -> None:
        self.name = f"kill -9 {name or ' + '.join(members)}"
        self.kills = len(members)
        self.answers_come = not set(members) & set(BRIDGES)
        self._members = members

    def touched(self) -> Sequence[str]:
        """Name those that were killed."""
        return self._members

    async def hit(self, scene: Scene) -> Moment:
        """Hold what is hit where that keeps answers back, else the bridges."""
        held = _holding(self._members)
        moment = await scene.strike(held, self.deed)
        scene.wake(held)
        return moment

    async def deed(self, scene: Scene) -> None:
        """Kill."""
        await asyncio.gather(*(scene.stack[name].kill() for name in self._members))

    async def heal(self, scene: Scene) -> None:
        """Start them again."""
        await scene.stack.start(*self._members)


class CrossedKill(Kill):
    """A bridge is killed while terminals send the same purchase to both bridges at once."""

    crosses = True

    def __init__(self, *members: str) -> None:
        super().__init__(*members)
        self.name += ", repeats crossing"


class Freeze(Strike):
    """SIGSTOP of members for long, then SIGCONT."""

    def __init__(self, *members: str) -> None:
        self.name = f"SIGSTOP {' + '.join(members)}"
        self._members = members

    async def hit(self, scene: Scene) -> Moment:
        """Leave them frozen."""
        held = _holding(self._members)
        moment = await scene.strike(held, self.deed)
        scene.wake([name for name in held if name not in self._members])
        return moment

    async def deed(self, scene: Scene) -> None:
        """Freeze."""
        scene.freeze(self._members)

    async def heal(self, scene: Scene) -> None:
        """Wake them after a while."""
        await asyncio.sleep(scene.freeze_s)
        scene.wake(self._members)


def _holding(members: Sequence[str]) -> tuple[str, ...]:
    """Return whom to hold so that answers are kept back; a ledger or a bridge keeps its own."""
    keeps_back = [name for name in members if name in ("card_ledger", *BRIDGES)]
    return tuple(keeps_back) or BRIDGES
