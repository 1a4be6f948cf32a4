"""Terminals of a trial against a fake switch on a socket: knocking, buying, being cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter_ns
from typing import cast

from loadtests.belief import State
from loadtests.fleet import Fleet, today
from loadtests.frames import TPDU_BACK, decode_frame, encode_frame
from loadtests.takeover_terminals import Knocker, Shoppers
from loadtests.takeover_trials import moments_ms
from tests.unit.loadtests.fake_switch import FakeSwitch

HOST = "127.0.0.1"
Answer = Callable[[bytes], Sequence[bytes] | None]


class Listener(asyncio.Protocol):
    """Answers each frame; an answer of None cuts the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._rest = b""
        self.is_lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Both sides are closed: nothing is left for the test's end to find."""
        self.is_lost = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole frame."""
        self._rest += data
        while len(self._rest) > 1 and len(self._rest) >= (
            end := 2 + int.from_bytes(self._rest[:2])
        ):
            frame, self._rest = self._rest[:end], self._rest[end:]
            answers = self._answer(frame)
            if answers is None:
                self._transport.abort()
                return
            self._transport.writelines(answers)


@asynccontextmanager
async def a_switch(answer: Answer, port: int = 0) -> AsyncIterator[int]:
    """Listen with this answer to each frame; give the port."""
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []

    def listener() -> Listener:
        listeners.append(Listener(answer))
        return listeners[-1]

    server = await loop.create_server(listener, HOST, port)
    async with server, asyncio.timeout(5):
        yield server.sockets[0].getsockname()[1]
    await until(lambda: all(each.is_lost for each in listeners))


async def until(condition: Callable[[], bool]) -> None:
    """Wait, within the time that the switch gives, until it holds."""
    while not condition():  # noqa: ASYNC110 -- it comes true by callbacks
        await asyncio.sleep(0.001)


def refusing(count: int) -> Answer:
    """Refuse so many purchases, then approve."""
    switch, left = FakeSwitch(), [count]

    def answer(frame: bytes) -> Sequence[bytes]:
        if not left[0]:
            return switch.answer(frame)
        left[0] -= 1
        _, fields = decode_frame(frame)
        said = {number: fields[number] for number in (2, 3, 4, 11, 12, 13, 41)}
        return [encode_frame("0210", said | {39: "51"}, tpdu=TPDU_BACK)]

    return answer


class TestKnocker:
    async def test_knocks_until_somebody_opens(self) -> None:
        """Nobody listens at first; the moment of the first connection is later than that."""
        async with a_switch(FakeSwitch().answer) as port:
            pass
        fleet = Fleet(4, today())
        knocking = asyncio.ensure_future(Knocker(fleet, 100).until_approved(port))
        await asyncio.sleep(0.05)
        was_done = knocking.done()

        async with a_switch(FakeSwitch().answer, port):
            async with asyncio.timeout(5):
                service = await knocking

        assert not was_done
        assert 0 < service.connected_ns < service.approved_ns
        assert {"approved": 1} == fleet.belief.counts()

    async def test_does_not_take_a_refusal_for_service(self) -> None:
        """Two refusals are counted and believed; the third purchase, with a new STAN, counts."""
        fleet = Fleet(4, today())

        async with a_switch(refusing(2)) as port:
            service = await Knocker(fleet, 100).until_approved(port)

        assert {"51": 2} == service.refused
        assert {"approved": 1, "refused": 2} == fleet.belief.counts()
        assert 3 == len({(one.terminal, one.stan) for one in fleet.belief})

    async def test_goes_on_after_a_lost_connection(self) -> None:
        """A purchase whose answer never came is believed unanswered, not refused."""
        switch, seen = FakeSwitch(), []

        def cut_first(frame: bytes) -> Sequence[bytes] | None:
            seen.append(frame)
            return None if len(seen) == 1 else switch.answer(frame)

        fleet = Fleet(4, today())
        async with a_switch(cut_first) as port:
            service = await Knocker(fleet, 100).until_approved(port)

        assert 1 == service.unanswered
        assert [State.UNANSWERED, State.APPROVED] == [one.state for one in fleet.belief]


class TestShoppers:
    async def test_buy_until_they_are_stopped(self) -> None:
        """Each terminal has one purchase open at a time; stopping lets the last ones end."""
        fleet = Fleet(4, today())
        shoppers = Shoppers(fleet, in_flight=3, cards=90, seed="a")
        async with a_switch(FakeSwitch().answer) as port:
            await shoppers.dial(port)
            await until(lambda: fleet.tally.codes.total() >= 30)
            await until(lambda: not shoppers.stop())
            left = await shoppers.settle(port)

        assert 0 == left
        assert 0 == fleet.tally.wrong
        assert 3 == len({one.terminal for one in fleet.belief})

    async def test_reverse_elsewhere_what_stayed_unanswered(self) -> None:
        """A switch falls silent with one request a terminal; the next one hears the reversals."""
        fleet = Fleet(4, today())
        shoppers = Shoppers(fleet, in_flight=3, cards=90, seed="a")
        heard: list[bytes] = []

        def silence(frame: bytes) -> Sequence[bytes]:
            heard.append(frame)
            return []

        successor = FakeSwitch()
        async with a_switch(silence) as port:
            await shoppers.dial(port)
            await until(lambda: len(heard) == 3)
            in_flight = shoppers.stop()
            unanswered = fleet.belief.counts()
            let_ten_seconds_pass(shoppers)
            async with a_switch(successor.answer) as other_port:
                left = await shoppers.settle(other_port)

        assert (3, {"unanswered": 3}) == (in_flight, unanswered)
        assert (0, {"withdrawn": 3}) == (left, fleet.belief.counts())
        assert {"04"} == {mti[:2] for mti, _ in successor.asked}


def let_ten_seconds_pass(shoppers: Shoppers) -> None:
    """Make every request old enough for its terminal to give it up."""
    for line in shoppers._lines:
        waiting = line.crew._waiting
        waiting.update({key: sent._replace(at_ns=0) for key, sent in waiting.items()})


class Opening:
    """An instance that gets ready while the test waits."""

    def __init__(self, port: int, ready_ns: int) -> None:
        self.port = port
        self._ready_ns = ready_ns

    async def until_ready(self) -> int:
        """Tell the moment."""
        return self._ready_ns


async def test_moments_count_from_where_it_began() -> None:
    """Milliseconds from the strike to ready, and to the approval in the knocker's hand."""
    began_ns = perf_counter_ns()
    async with a_switch(FakeSwitch().answer) as port:
        opening = Opening(port, began_ns + 250_000_000)
        found = await moments_ms(opening, Knocker(Fleet(4, today()), 90), began_ns)

    assert 250 == found["ready_ms"]
    assert 0 < found["connected_ms"] < found["approved_ms"] < 5_000
