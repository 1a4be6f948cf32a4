"""A connection: frames are found in any cut of the stream, and losing it loses no belief."""

import asyncio
from time import perf_counter_ns

import pytest

from loadtests.crew import Crew
from loadtests.fleet import Fleet, today
from loadtests.line import Line
from loadtests.plan import PURCHASES_ONLY, build_pool
from tests.unit.loadtests.fake_switch import FakeSwitch


class FakeTransport(asyncio.Transport):
    """Keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take what would be sent."""
        self.written.append(bytes(data))


def a_line(slots: int) -> tuple[Line, Fleet, FakeTransport]:
    fleet = Fleet(4, today())
    fleet.pool = build_pool("a", PURCHASES_ONLY, 100, size=100)
    line = Line(Crew(fleet, fleet.terminals, refills=False), slots=slots, on_lost=lambda: None)
    transport = FakeTransport()
    line.connection_made(transport)
    return line, fleet, transport


class TestLine:
    @pytest.mark.parametrize("size", [1, 2, 7, 150, 10_000])
    def test_finds_frames_in_any_cut(self, size: int) -> None:
        """Answers are taken whole however the stream is cut, keep-alives between them."""
        line, fleet, transport = a_line(3)
        switch = FakeSwitch()
        stream = b"\x00\x00".join(
            answer for request in transport.written for answer in switch.answer(request)
        )

        for at in range(0, len(stream), size):
            line.data_received(stream[at : at + size])

        assert 3 == fleet.tally.codes.total()
        assert 0 == fleet.tally.wrong

    def test_writes_once_for_all_that_follows_from_one_read(self) -> None:
        """Two answers in one segment bring two requests in one write."""
        line, fleet, transport = a_line(0)
        line.crew = Crew(fleet, fleet.terminals, refills=True)
        fleet.is_open = True
        for _ in range(2):
            line.start(perf_counter_ns())
        switch = FakeSwitch()
        answers = b"".join(switch.answer(transport.written[at])[0] for at in range(2))

        line.data_received(answers)

        assert 3 == len(transport.written)

    def test_begins_its_slots_only_once(self) -> None:
        """A second connection goes on; it does not begin anew."""
        line, fleet, transport = a_line(2)

        line.connection_lost(None)
        line.connection_made(transport)

        assert 2 == len(transport.written)
        assert 2 == len(fleet.belief)

    def test_starts_nothing_without_a_connection(self) -> None:
        """What cannot be sent is not believed to be sent."""
        line, fleet, _ = a_line(0)

        line.connection_lost(None)

        assert not line.start(0)
        assert 0 == len(fleet.belief)

    def test_forgets_half_a_frame_with_its_connection(self) -> None:
        """The rest of an old connection is not the beginning of a new one."""
        line, fleet, transport = a_line(1)
        answer = FakeSwitch().answer(transport.written[0])[0]

        line.data_received(answer[:20])
        line.connection_lost(None)
        line.connection_made(transport)
        line.data_received(answer)

        assert 1 == fleet.tally.codes.total()
