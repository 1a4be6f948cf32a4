"""The other maker's client goes red: against a switch that answers one of its steps wrongly."""

import asyncio
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from loadtests.frames import decode_frame, encode_frame

pytestmark = pytest.mark.e2e

CLIENT = Path(__file__).parent / "go_client"
BUILD_SECONDS = 120
RUN_SECONDS = 60
TPDU_BACK = bytes.fromhex("6012340003")
ECHOED = (2, 3, 4, 7, 11, 12, 13, 24, 41, 42, 49, 70)
RRN, APPROVAL = "629912000007", "000007"

Fields = dict[int, str]

APPROVED: Fields = {39: "00", 37: RRN, 38: APPROVAL}
BOUGHT: Fields = APPROVED | {54: "6002360C000095000000"}
SIGNED: Fields = {39: "00", 12: "120000", 13: "1124"}
PAID_BACK: Fields = {39: "00", 54: "6002360C000100000000"}

RIGHT: Mapping[str, tuple[str, Fields]] = {
    "sign-on": ("0810", SIGNED),
    "echo": ("0810", SIGNED),
    "purchase": ("0210", BOUGHT),
    "repeat": ("0210", BOUGHT),
    "repeat 0201": ("0210", BOUGHT),
    "other amount": ("0210", {39: "94"}),
    "inquiry": ("0210", BOUGHT),
    "restricted purse": (
        "0210",
        APPROVED | {48: "PS18650001000005000000", 54: "6002360C0001000000006502360C000015000000"},
    ),
    "reversal": ("0410", PAID_BACK),
    "reversal again": ("0410", PAID_BACK),
    "reversal advice": ("0430", PAID_BACK),
    "repeat after reversal": ("0210", {39: "68"}),
    "early reversal": ("0410", {39: "00"}),
    "purchase after its reversal": ("0210", {39: "68"}),
    "blocked card": ("0210", {39: "62"}),
    "wrong outlet": ("0210", {39: "58"}),
    "unknown card": ("0210", {39: "14"}),
    "empty purse": ("0210", {39: "51", 54: "6002360C000000000000"}),
    "no amount": ("0210", {39: "13"}),
    "unknown MTI": ("0610", {39: "12"}),
}
"""The client's steps in their order, and what edc.md promises for each beside the echo."""

SILENCE = ""
"""As message type: no answer at all."""


class Wrong(NamedTuple):
    """One broken answer, and what the client must say of it."""

    step: str
    complaint: str
    changes: Mapping[int, str | None] = {}  # None: the field lacks.
    mti: str | None = None
    tpdu: bytes = TPDU_BACK
    also: tuple[str, ...] = ()  # Steps that compare with this one's answer.


WRONG = {
    "other code": Wrong("purchase", 'DE39 is "05", not "00"', {39: "05"}),
    "no approval code": Wrong(
        "purchase", 'DE38 is "", not "*"', {38: None}, also=("repeat", "repeat 0201")
    ),
    "approval code on a refusal": Wrong("blocked card", "DE38 is", {38: APPROVAL}),
    "other reference": Wrong("repeat", 'DE37 is "629912000008"', {37: "629912000008"}),
    "other STAN": Wrong("purchase", 'DE11 is "000011", not "000010"', {11: "000011"}),
    "other balance": Wrong("reversal", "DE54 is", {54: "6002360C000099999900"}),
    "other purse paid": Wrong("restricted purse", "DE48 is", {48: "PS18600000000005000000"}),
    "reversed money paid again": Wrong("repeat after reversal", 'DE39 is "00"', {39: "00"}),
    "tombstone forgotten": Wrong("purchase after its reversal", 'DE39 is "00"', {39: "00"}),
    "other message type": Wrong("reversal advice", 'DE0 is "0410"', mti="0410"),
    "TPDU not turned": Wrong("inquiry", "TPDU not swapped", tpdu=bytes.fromhex("6000031234")),
    "no answer": Wrong("echo", "i/o timeout", mti=SILENCE),
}

EVERY: Mapping[str, Wrong] = WRONG | {
    f"another code in {step}": Wrong(step, 'DE39 is "99"', {39: "99"}) for step in RIGHT
}


class Run(NamedTuple):
    """What the client wrote and how it ended."""

    code: int | None
    lines: list[str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Build once, run against all switches at the same time: one of them is silent for 10 s."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    binary = tmp_path_factory.mktemp("go") / "client"
    command = ["go", "build", "-o", str(binary), "."]
    built = subprocess.run(
        command, cwd=CLIENT, check=False, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    assert built.returncode == 0, built.stderr

    async def run_all() -> list[Run]:
        return await asyncio.gather(
            *(run_against(binary, wrong) for wrong in (None, *EVERY.values()))
        )

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return dict(zip(("right", *EVERY), runner.run(run_all()), strict=True))


async def run_against(binary: Path, wrong: Wrong | None) -> Run:
    """Run the client against a switch of its own, to the end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ScriptedSwitch(wrong), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            binary, f"127.0.0.1:{port}", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return Run(process.returncode, out.decode().splitlines())


class ScriptedSwitch(asyncio.Protocol):
    """Answers the client's steps one after the other as promised, but for one."""

    def __init__(self, wrong: Wrong | None) -> None:
        self._wrong = wrong
        self._steps = iter(RIGHT.items())
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole frame."""
        self._rest += data
        while len(self._rest) > 1:
            end = 2 + int.from_bytes(self._rest[:2])
            if len(self._rest) < end:
                return
            frame, self._rest = self._rest[:end], self._rest[end:]
            self._transport.write(self._answer(frame))

    def _answer(self, frame: bytes) -> bytes:
        _, asked = decode_frame(frame)
        step, (mti, added) = next(self._steps)
        said = {number: asked[number] for number in ECHOED if number in asked} | added
        if self._wrong is None or step != self._wrong.step:
            return encode_frame(mti, said, tpdu=TPDU_BACK)
        changed: dict[int, str | None] = {**said, **self._wrong.changes}
        kept = {number: value for number, value in changed.items() if value is not None}
        mti = mti if self._wrong.mti is None else self._wrong.mti
        return b"" if mti == SILENCE else encode_frame(mti, kept, tpdu=self._wrong.tpdu)


def test_passes_where_every_answer_is_right(runs: dict[str, Run]) -> None:
    """The script itself is right: whatever fails below fails for its one wrong answer."""
    assert Run(0, [f"OK {step}" for step in RIGHT]) == runs["right"]


@pytest.mark.parametrize("name", EVERY)
def test_fails_and_names_the_step(runs: dict[str, Run], name: str) -> None:
    """Exit code 1, the step and its complaint in one line, every other step as before."""
    wrong, run = EVERY[name], runs[name]

    red = [line for line in run.lines if line.startswith("FAIL ")]
    assert 1 == run.code
    assert [wrong.step, *wrong.also] == [line[5:].partition(": ")[0] for line in red]
    assert wrong.complaint in red[0]
    assert len(RIGHT) == len(run.lines)
