"""What terminals make of answers, silence and lost lines, on lines that say what a test wants."""

import asyncio
from collections.abc import Callable
from datetime import date

from loadtests.belief import State
from loadtests.chaos_terminals import Market
from loadtests.chaos_wire import Fields, Late, Wire, answer_of
from loadtests.fleet import Fleet

Reply = Callable[[int, str, Fields], Fields | None]


def approve(_port: int, _mti: str, fields: Fields) -> Fields | None:
    return {**fields, 37: "000000000001", 38: "000001", 39: "00"}


class FakeWire:
    """A line on which ``reply`` answers at once; None: silence."""

    reply: Reply = staticmethod(approve)

    def __init__(self, port: int, late: Callable[[Late], None]) -> None:
        self.port = port
        self.late = late

    async def ask(self, mti: str, fields: Fields, *, seconds: float) -> Fields | None:
        """Answer as the test wants."""
        await asyncio.sleep(0)
        return self.reply(self.port, mti, fields)

    async def hang_up(self) -> None:
        """Do nothing."""


def a_market(reply: Reply, *, terminals: int = 1, crosses: bool = False) -> Market:
    wire = type("Line", (FakeWire,), {"reply": staticmethod(reply)})
    fleet = Fleet(terminals, date(2026, 11, 24))
    market = Market(fleet, [1, 2], cards=90, patience_s=1, seed="x", dial=wire)
    market.crosses = crosses
    return market


async def buy_once(market: Market) -> State:
    """Let each terminal buy once and return what the first believes."""
    market.open()
    await asyncio.sleep(0)
    assert 0 == await market.close(seconds=5)
    return State(market.fleet.belief.states[0])


class TestTill:
    async def test_believes_an_approval(self) -> None:
        """One purchase, one answer."""
        market = a_market(approve)

        assert State.APPROVED == await buy_once(market)
        assert (1, 0, 0) == (market.answered, market.seen.silent, market.seen.wrong)
        assert {} == market.unsettled

    async def test_repeats_at_the_other_bridge(self) -> None:
        """The first bridge is silent; the second one answers the repeat."""
        asked: list[tuple[int, str]] = []

        def reply(port: int, mti: str, fields: Fields) -> Fields | None:
            asked.append((port, mti))
            return approve(port, mti, fields) if port == 2 else None

        market = a_market(reply)

        assert State.APPROVED == await buy_once(market)
        assert [(1, "0200"), (2, "0201")] == asked

    async def test_reverses_until_it_is_answered(self) -> None:
        """Silence on purchase, repeat and first reversal; the second reversal is answered."""
        asked: list[str] = []

        def reply(port: int, mti: str, fields: Fields) -> Fields | None:
            asked.append(mti)
            return approve(port, mti, fields) if mti == "0401" else None

        market = a_market(reply)

        assert State.WITHDRAWN == await buy_once(market)
        assert ["0200", "0201", "0400", "0401"] == asked
        assert (1, 1) == (market.seen.silent, market.seen.reversals)

    async def test_complains_of_a_refused_reversal(self) -> None:
        """A reversal always works."""

        def reply(_port: int, mti: str, fields: Fields) -> Fields | None:
            return {**fields, 39: "96"} if mti == "0400" else None

        market = a_market(reply)

        assert State.UNANSWERED == await buy_once(market)
        assert ["a reversal heard 96 (LSK00001, STAN 000001)"] == market.seen.problems

    async def test_complains_of_a_foreign_answer(self) -> None:
        """Another amount than was asked."""
        market = a_market(lambda port, mti, fields: {**(approve(port, mti, fields) or {}), 4: "1"})
        await buy_once(market)

        assert 1 == market.seen.wrong

    async def test_complains_when_two_bridges_differ(self) -> None:
        """One key, two reference numbers: it was booked twice."""

        def reply(port: int, mti: str, fields: Fields) -> Fields | None:
            return {**(approve(port, mti, fields) or {}), 37: f"{port:012d}"}

        market = a_market(reply, crosses=True)
        await buy_once(market)

        assert (1, 1) == (market.seen.crossed, market.seen.wrong)

    async def test_complains_of_an_approval_after_its_reversal(self) -> None:
        """Taken back, and then a bridge says that it was paid; 68 is what it should say."""

        def reply(port: int, mti: str, fields: Fields) -> Fields | None:
            return approve(port, mti, fields) if mti == "0400" else None

        market = a_market(reply)
        await buy_once(market)
        for code in ("68", "00"):
            market._tills[0]._late(Late("0210", {11: "000001", 39: code}))

        assert (2, 1) == (market.seen.late, market.seen.wrong)

    async def test_takes_the_same_answer_twice(self) -> None:
        """Asked at two bridges, answered by both in the end: the second must say the same."""
        market = a_market(approve)
        await buy_once(market)
        again = approve(1, "0200", {11: "000001"}) or {}
        market._tills[0]._late(Late("0210", again))
        market._tills[0]._late(Late("0210", {**again, 37: "000000000002"}))

        assert ["a second answer differs from the first (LSK00001, STAN 000001)"] == (
            market.seen.problems
        )

    async def test_says_nothing_of_an_answer_before_the_reversal_is_answered(self) -> None:
        """The bridge slept: it has approved what nobody has taken back yet."""
        market = a_market(approve)
        market._tills[0]._late(Late("0210", {11: "000007", 39: "00"}))

        assert (1, 0) == (market.seen.late, market.seen.wrong)


class TestMarket:
    async def test_counts_what_does_not_settle(self) -> None:
        """Nobody ever answers: at closing time the purchase is neither answered nor taken back."""
        market = a_market(lambda *_: None)
        market.open()
        await asyncio.sleep(0)

        assert 1 == await market.close(seconds=0.01)

    async def test_says_when_too_few_verdicts_come(self) -> None:
        """It waits no longer than it was told."""
        market = a_market(approve)

        assert not await market.until_answered(1, seconds=0.02)


class TestWire:
    async def test_is_silent_where_nobody_listens(self) -> None:
        """A refused connection is a lost line."""
        wire = Wire(1, lambda _: None)

        assert await wire.ask("0200", {11: "000001"}, seconds=1) is None

    def test_knows_which_type_answers(self) -> None:
        """Function digit + 1, origin digit 0."""
        answers = [answer_of(mti) for mti in ("0200", "0201", "0400", "0401", "0420")]

        assert ["0210", "0210", "0410", "0410", "0430"] == answers
