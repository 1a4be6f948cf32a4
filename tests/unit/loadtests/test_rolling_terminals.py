"""Terminals of a rolling restart against two fake bridges: buying, redialling, taking back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from loadtests.fleet import Fleet, today
from loadtests.frames import TPDU_BACK, decode_frame, encode_frame
from loadtests.rolling_terminals import Sample, Trade
from tests.unit.loadtests.fake_switch import FakeSwitch

HOST = "127.0.0.1"
RATE = 400.0
Answer = Callable[[bytes], Sequence[bytes] | None]


class Bridge:
    """Answers each frame until it is closed; an answer of None cuts that line."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.port = 0
        self.heard = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen, on the port of before."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End the listener and all lines."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        while self._writers:  # noqa: ASYNC110 -- each line takes itself out
            await asyncio.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readexactly(2)
                answers = self.answer(head + await reader.readexactly(int.from_bytes(head)))
                self.heard += 1
                if answers is None:
                    break
                writer.writelines(answers)
        writer.close()
        self._writers.discard(writer)


@asynccontextmanager
async def two_bridges(first: Answer, second: Answer) -> AsyncIterator[tuple[Bridge, Bridge]]:
    """Give two bridges, on ports of their own."""
    async with AsyncExitStack() as stack, asyncio.timeout(10):
        found = []
        for answer in (first, second):
            bridge = Bridge(answer)
            await bridge.open()
            stack.push_async_callback(bridge.close)
            found.append(bridge)
        yield found[0], found[1]


def a_trade(*bridges: Bridge, patience_s: float = 5.0) -> Trade:
    """Return eight terminals; serials up to 97, of which 97 alone is special."""
    ports = [bridge.port for bridge in bridges]
    fleet = Fleet(8, today())
    return Trade(fleet, ports, cards=97, rate=RATE, seed="a", patience_s=patience_s)


async def until(condition: Callable[[], bool]) -> None:
    """Wait, within the time that the bridges give, until it holds."""
    while not condition():  # noqa: ASYNC110 -- it comes true by callbacks
        await asyncio.sleep(0.001)


async def settled(trade: Trade) -> list[Sample]:
    """Stop buying, let all come to an end, and return what was sampled."""
    left = await trade.close(seconds=5)
    await trade.hang_up()
    assert 0 == left
    assert [] == trade.met.problems
    return trade.samples


class TestTrade:
    async def test_buys_at_both_bridges_until_it_is_closed(self) -> None:
        """Every purchase has a sample, and what a card brings on itself is no refusal of ours."""
        switch = FakeSwitch()
        async with two_bridges(switch.answer, switch.answer) as (first, second):
            trade = a_trade(first, second)
            trade.open()
            await until(lambda: sum(one.code == "62" for one in trade.samples) > 0)
            samples = await settled(trade)

        assert len(trade.fleet.belief) == len(samples)
        assert {"00", "62"} == {one.code for one in samples}
        assert all(one.is_deserved and one.took_us is not None for one in samples)
        assert first.heard
        assert second.heard

    async def test_goes_on_at_the_other_bridge_when_one_is_closed(self) -> None:
        """The purchases on its way are taken back there, all later ones are answered there."""
        switch, halted = FakeSwitch(), list[bytes]()

        def halt(frame: bytes) -> Sequence[bytes]:
            halted.append(frame)
            return []

        async with two_bridges(switch.answer, switch.answer) as (first, second):
            trade = a_trade(first, second)
            trade.open()
            await until(lambda: first.heard > 8)
            first.answer = halt
            await until(lambda: len(halted) > 2)
            await first.close()
            closed_at = len(trade.samples)
            await until(lambda: len(trade.samples) > closed_at + len(halted) + 50)
            samples = await settled(trade)

        silent = [one for one in samples if one.took_us is None]
        assert (len(halted), 0) == (trade.met.lines_lost, trade.met.unheard)
        assert len(halted) == len(silent) == trade.met.reversals
        assert len(halted) == trade.fleet.belief.counts()["withdrawn"]
        assert 50 < sum(one.took_us is not None for one in samples[closed_at:])

    async def test_comes_back_to_its_own_bridge(self) -> None:
        """Terminals that dial for each purchase are at home again as soon as it is open."""
        switch = FakeSwitch()
        async with two_bridges(switch.answer, switch.answer) as (first, second):
            await first.close()
            trade = a_trade(first, second)
            trade.open()
            await until(lambda: len(trade.samples) > 20)
            heard_closed = first.heard
            await first.open()
            await until(lambda: first.heard > 5)
            samples = await settled(trade)

        assert 0 == heard_closed
        assert all(one.took_us is not None for one in samples)

    async def test_reverses_what_stays_unanswered_until_that_is_answered(self) -> None:
        """A bridge that says nothing costs the whole patience, and one reversal a purchase."""
        deaf = FakeSwitch(silent_mtis={"0200", "0400"})
        async with two_bridges(deaf.answer, deaf.answer) as (first, second):
            trade = a_trade(first, second, patience_s=0.1)
            trade.open()
            await until(lambda: trade.met.unheard > 2)
            samples = await settled(trade)

        mtis = {mti for mti, _ in deaf.asked}
        assert {"0200", "0400", "0401"} == mtis
        assert {None} == {one.took_us for one in samples}
        assert {"withdrawn": len(samples)} == trade.fleet.belief.counts()

    @pytest.mark.parametrize("code", ["96", "91", "68", "51"])
    async def test_tells_a_refusal_that_no_card_deserved(self, code: str) -> None:
        """Whatever code a good card hears instead of 00 is a refusal of ours."""

        def refuse(frame: bytes) -> Sequence[bytes]:
            _, fields = decode_frame(frame)
            said = {number: fields[number] for number in (2, 3, 4, 11, 12, 13, 41, 42)}
            return [encode_frame("0210", said | {39: code}, tpdu=TPDU_BACK)]

        async with two_bridges(refuse, refuse) as (first, second):
            trade = a_trade(first, second)
            trade.open()
            await until(lambda: len(trade.samples) > 3)
            samples = await settled(trade)

        assert {(code, False)} == {(one.code, one.is_deserved) for one in samples}

    async def test_raises_what_breaks_a_terminal(self) -> None:
        """A simulator that is broken must not look like a silent switch."""
        switch = FakeSwitch()
        async with two_bridges(switch.answer, switch.answer) as (first, second):
            trade = a_trade(first, second)
            trade.fleet.terminals[0].stan = 999_999
            trade.open()
            await until(lambda: len(trade.samples) > 10)
            with pytest.raises(OverflowError):
                await trade.close(seconds=5)
            trade._faults.clear()
            await trade.hang_up()
