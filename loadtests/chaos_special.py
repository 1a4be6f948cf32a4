"""Strikes that need more preparation: crash points, two ledgers, two bridges on one partition."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

from loadtests.chaos_launcher import EXIT_CODE, Point
from loadtests.chaos_scene import BRIDGES, Moment, Scene
from loadtests.chaos_strikes import TWIN, Strike
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import LESKO
from loadtests.takeover_process import LOOK_EVERY_S

BOOKED_S: Final = 0.2  # What was sent last is booked by then.
DIALS_S: Final = 0.05  # A terminal that lost its line has not dialled yet.
MEETINGS_MAX: Final = 30
MEETS_LOOKS: Final = 50
MEETS_LOOK_S: Final = 0.005
TAKES_OVER_WITHIN_S: Final = 30.0
ENDS_WITHIN_S: Final = 30.0
LAUNCHER: Final = (sys.executable, "-m", "loadtests.chaos_launcher")
SECOND_LEDGER: Final = "card_ledger-2"
TWIN_BRIDGE: Final = f"iso_bridge{TWIN}"
FENCED_WITHIN_S: Final = 15.0
LEASES_LOST: Final = '"leases_lost"'
FENCE_LOST: Final = "lesko_ledger_fence_lost_total"


class Crash(Strike):
    """A service ends itself between two steps; then the plain one is started."""

    kills = 1

    def __init__(self, service: str, point: Point) -> None:
        self.name = f"{service} ends {point.replace('_', ' ')}"
        self.answers_come = service not in BRIDGES
        self._service = service
        self._point = point
        self._code = 0

    def touched(self) -> Sequence[str]:
        """Name the one that ends."""
        return (self._service,)

    async def prepare(self, scene: Scene) -> None:
        """Start it on a bus that can end it."""
        member = scene.stack[self._service]
        member.run_by([*LAUNCHER, self._point, self._service])
        await member.restart()
        await member.wait_ready()

    async def hit(self, scene: Scene) -> Moment:
        """Arm it and let it meet its point while the bridges keep back its answers; then look."""
        member = scene.stack[self._service]
        held = () if self._service in BRIDGES else BRIDGES
        member.signal(signal.SIGUSR1)
        for _ in range(MEETINGS_MAX):
            scene.freeze(held)
            if await self._has_ended(scene):
                break
            scene.wake(held)
            await asyncio.sleep(LOOK_EVERY_S)
        self._code = await member.ended(seconds=0)
        await asyncio.sleep(BOOKED_S if held else DIALS_S)
        moment = await scene.look()
        scene.wake(held)
        return moment

    async def _has_ended(self, scene: Scene) -> bool:
        for _ in range(MEETS_LOOKS):
            if not scene.stack[self._service].is_running:
                return True
            await asyncio.sleep(MEETS_LOOK_S)
        return False

    async def heal(self, scene: Scene) -> None:
        """Start the plain one."""
        scene.stack[self._service].run_by([*LESKO, "serve", self._service])
        await scene.stack.start(self._service)

    async def judge(self, scene: Scene) -> dict[str, Any]:
        """See that it ended where it should."""
        del scene
        if self._code == EXIT_CODE:
            return {}
        return {"problems": [f"{self._service} ended with {self._code}, not at its point"]}


class TwoLedgers(Strike):
    """The owner of the books is frozen or killed while another one waits; a frozen one is woken."""

    def __init__(self, *, is_killed: bool) -> None:
        self.name = f"{'kill -9' if is_killed else 'SIGSTOP'} one ledger of two"
        self.kills = int(is_killed)
        self.answers_come = is_killed
        self._is_killed = is_killed
        self._fenced_before = 0

    def touched(self) -> Sequence[str]:
        """Name the first ledger."""
        return ("card_ledger",)

    def serving(self, scene: Scene) -> list[str]:
        """Name all but the first ledger: it waits, or is away."""
        return [name for name in super().serving(scene) if name != "card_ledger"]

    async def prepare(self, scene: Scene) -> None:
        """Bring the second one up as far as it gets."""
        if SECOND_LEDGER not in scene.stack.members:
            scene.stack.add("card_ledger", name=SECOND_LEDGER)
        await scene.stack.start(SECOND_LEDGER)
        await scene.stack[SECOND_LEDGER].until_said("waiting_for_leases")
        self._fenced_before = scene.stack["card_ledger"].count_said(LEASES_LOST)

    async def hit(self, scene: Scene) -> Moment:
        """Strike the owner."""
        moment = await scene.strike(["card_ledger"], self.deed)
        if not self._is_killed and not await _takes_over(scene):
            message = "the second ledger did not take over"
            raise CommandFailed(message)
        return moment

    async def deed(self, scene: Scene) -> None:
        """Kill it, or leave it frozen."""
        if self._is_killed:
            await scene.stack["card_ledger"].kill()

    async def heal(self, scene: Scene) -> None:
        """Wake the first one amid purchases of the second."""
        if not self._is_killed:
            await scene.market.until_answered(100, seconds=TAKES_OVER_WITHIN_S)
            scene.wake(["card_ledger"])

    async def judge(self, scene: Scene) -> dict[str, Any]:
        """Count how often the woken one was fenced."""
        if self._is_killed:
            return {}
        first = scene.stack["card_ledger"]
        fenced, left = 0, round(FENCED_WITHIN_S / LOOK_EVERY_S)
        while not fenced and left:
            await asyncio.sleep(LOOK_EVERY_S)
            fenced, left = first.count_said(LEASES_LOST) - self._fenced_before, left - 1
        figures = {"fenced": fenced, "fenced_statements": await first.figure(FENCE_LOST)}
        return figures if fenced else {**figures, "problems": ["nobody was fenced"]}

    async def restore(self, scene: Scene) -> None:
        """Let the first one have the books again."""
        await scene.stack.start("card_ledger")
        await scene.stack[SECOND_LEDGER].stop()
        scene.stack.members.pop(SECOND_LEDGER)
        await scene.stack["card_ledger"].wait_ready(seconds=TAKES_OVER_WITHIN_S)


class TwinBridge(Strike):
    """A second bridge on an answers partition in use: it must end and say why."""

    name = "a second bridge on a used answers partition"
    is_quiet = True

    def __init__(self) -> None:
        self._code = 0

    async def deed(self, scene: Scene) -> None:
        """Strike nobody."""

    async def heal(self, scene: Scene) -> None:
        """Start the twin and wait for its end."""
        if TWIN_BRIDGE not in scene.stack.members:
            scene.stack.add("iso_bridge", name=TWIN_BRIDGE)
        await scene.stack.start(TWIN_BRIDGE)
        self._code = await scene.stack[TWIN_BRIDGE].ended(seconds=ENDS_WITHIN_S)

    async def judge(self, scene: Scene) -> dict[str, Any]:
        """See that it said whose the partition is."""
        twin = scene.stack[TWIN_BRIDGE]
        has_said = twin.count_said("answers partition 0 is used by another bridge") > 0
        if self._code == 1 and has_said:
            return {}
        return {"problems": [f"the twin ended with {self._code}: {twin.last_words()}"]}

    async def restore(self, scene: Scene) -> None:
        """Forget the twin."""
        scene.stack.members.pop(TWIN_BRIDGE)


async def _takes_over(scene: Scene) -> bool:
    """Wait until the second ledger is ready."""
    try:
        await scene.stack[SECOND_LEDGER].wait_ready(seconds=TAKES_OVER_WITHIN_S)
    except CommandFailed:
        return False
    return True
