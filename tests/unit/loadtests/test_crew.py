"""Terminals against a fake switch: every kind of operation, every fault, every belief."""

from collections import deque
from collections.abc import Mapping

import pytest

from loadtests.belief import State
from loadtests.crew import Crew
from loadtests.fleet import UNANSWERED_AFTER_NS, Fleet, today
from loadtests.frames import TPDU, decode_frame, encode_frame
from loadtests.plan import MIXED, PURCHASES_ONLY, Kind, build_pool
from tests.unit.loadtests.fake_switch import FakeSwitch

MS = 1_000_000


class Outlet:
    """A crew and a fake switch with nothing but a queue between them."""

    def __init__(
        self, switch: FakeSwitch, mix: Mapping[Kind, float], *, refills: bool = False
    ) -> None:
        self.switch = switch
        self.fleet = Fleet(4, today())
        self.fleet.pool = build_pool("a", mix, 500, size=4_000)
        self.fleet.remembers = True
        self.fleet.is_open = True
        self.crew = Crew(self.fleet, self.fleet.terminals, refills=refills)
        self.now_ns = 0

    def start(self, count: int) -> None:
        """Begin operations and let everything that follows happen."""
        for _ in range(count):
            out: list[bytes] = []
            self.crew.start(self.now_ns, out)
            self.exchange(out)

    def exchange(self, frames: list[bytes], turns_max: int = 100_000) -> None:
        """Carry frames to the switch and answers back until nobody has anything to say."""
        queue = deque(frames)
        for _ in range(turns_max):
            if not queue:
                return
            for answer in self.switch.answer(queue.popleft()):
                self.now_ns += MS
                out: list[bytes] = []
                self.crew.take(answer, self.now_ns, out)
                queue.extend(out)
        self.fleet.is_open = False

    def wait(self) -> list[str]:
        """Let the patience of all terminals end; return the message types of what they send."""
        self.now_ns += UNANSWERED_AFTER_NS + MS
        out: list[bytes] = []
        self.crew.sweep(self.now_ns, out)
        sent = [decode_frame(frame)[0] for frame in out]
        self.exchange(out)
        return sent


def states(outlet: Outlet) -> list[State]:
    return [believed.state for believed in outlet.fleet.belief]


class TestPurchases:
    def test_believes_what_is_answered(self) -> None:
        """Every purchase is approved or refused as the switch said, with its latency."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)

        outlet.start(300)

        tally = outlet.fleet.tally
        refused = sum(believed.card % 100 == 97 for believed in outlet.fleet.belief)
        assert {b"00": 300 - refused, b"62": refused} == dict(tally.codes)
        assert refused > 0
        assert 300 == len(tally.latencies)
        assert {1_000} == set(tally.latencies)
        assert [] == tally.problems

    def test_sends_what_edc_md_demands_in_few_bytes(self) -> None:
        """All mandatory fields are there, and a request keeps below 120 bytes."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)
        out: list[bytes] = []

        outlet.crew.start(0, out)

        mti, fields = decode_frame(out[0])
        assert "0200" == mti
        assert {2, 3, 4, 11, 12, 13, 22, 24, 41, 42} <= fields.keys()
        assert len(out[0]) <= 120

    def test_uses_every_stan_once(self) -> None:
        """No two purchases share terminal and STAN."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)

        outlet.start(300)

        assert 300 == len({(believed.terminal, believed.stan) for believed in outlet.fleet.belief})

    def test_begins_the_next_one_in_a_closed_loop_while_open(self) -> None:
        """One start keeps itself going until the fleet is closed."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY, refills=True)
        out: list[bytes] = []

        outlet.crew.start(0, out)
        outlet.exchange(out, turns_max=50)

        assert 51 == len(outlet.fleet.belief)
        assert 1 == outlet.crew.open_requests()


class TestOtherKinds:
    @pytest.mark.parametrize("refills", [False, True])
    def test_finds_nothing_wrong_with_a_switch_that_keeps_its_promises(
        self, *, refills: bool
    ) -> None:
        """All kinds together, and every request is settled."""
        outlet = Outlet(FakeSwitch(), MIXED, refills=refills)

        if refills:
            out: list[bytes] = []
            outlet.crew.start(0, out)
            outlet.exchange(out, turns_max=4_000)
        else:
            outlet.start(3_000)
            assert 0 == outlet.crew.open_requests()

        tally = outlet.fleet.tally
        assert [] == tally.problems
        assert 0 == tally.wrong + tally.unexpected + tally.late + tally.unanswered
        assert {State.APPROVED, State.REFUSED, State.REVERSED, State.TOMBSTONED} <= set(
            states(outlet)
        )
        said = set(tally.others)
        assert {"repeat 00", "repeat 68", "reversal 00", "inquiry 00", "heard twice"} <= said
        assert "after tombstone 68" in said

    def test_agrees_with_the_book_of_the_switch(self) -> None:
        """What the terminals believe is what the fake has booked, key by key."""
        outlet = Outlet(FakeSwitch(), MIXED)

        outlet.start(3_000)

        for believed in outlet.fleet.belief:
            booked = outlet.switch.book[believed.terminal, f"{believed.stan:06d}"]
            is_kept = booked.code == "00" and not booked.is_reversed
            assert (believed.state == State.APPROVED) is is_kept

    @pytest.mark.parametrize(
        ("kind", "sent"),
        [
            (Kind.REPEAT_AT_ONCE, {"0200", "0201"}),
            (Kind.REVERSAL_AT_ONCE, {"0200", "0400", "0420"}),
            (Kind.REVERSAL_AHEAD, {"0200", "0400", "0420"}),
            (Kind.INQUIRY, {"0200", "0100"}),
        ],
    )
    def test_sends_both_forms_of_a_message(self, kind: Kind, sent: set[str]) -> None:
        """Repeats come with and without the repeat bit, reversals as request and advice."""
        outlet = Outlet(FakeSwitch(), {kind: 1.0})

        outlet.start(20)

        assert sent == {mti for mti, _ in outlet.switch.asked}

    def test_repeats_the_same_frame(self) -> None:
        """A repeat has every field of its original."""
        outlet = Outlet(FakeSwitch(), {Kind.REPEAT_AT_ONCE: 1.0})

        outlet.start(1)

        (_, first), (_, second) = outlet.switch.asked
        assert first == second


class TestFaultsOfTheSwitch:
    def test_notices_another_answer_to_a_repeat(self) -> None:
        """A repeat that hears a new DE37 is a broken promise."""
        outlet = Outlet(FakeSwitch(forgets_verdicts=True), {Kind.PURCHASE: 0.5, Kind.REPEAT: 0.5})

        outlet.start(50)

        assert outlet.fleet.tally.wrong > 0
        assert outlet.fleet.tally.problems[0].startswith("repeat did not hear the first verdict")

    def test_notices_two_verdicts_to_one_purchase_sent_twice(self) -> None:
        """The second answer must be the first one."""
        outlet = Outlet(FakeSwitch(forgets_verdicts=True), {Kind.REPEAT_AT_ONCE: 1.0})

        outlet.start(1)

        assert 1 == outlet.fleet.tally.wrong

    def test_notices_a_purchase_after_its_reversal(self) -> None:
        """A tombstone that does not hold is a broken promise."""
        outlet = Outlet(FakeSwitch(ignores_tombstones=True), {Kind.REVERSAL_AHEAD: 1.0})

        outlet.start(1)

        assert 1 == outlet.fleet.tally.wrong

    def test_notices_an_answer_that_does_not_echo(self) -> None:
        """Another amount in the answer is counted, for purchases and for reversals."""
        outlet = Outlet(FakeSwitch(swaps_amounts=True), {Kind.REVERSAL_AT_ONCE: 1.0})

        outlet.start(1)

        assert 2 == outlet.fleet.tally.wrong

    def test_notices_a_tpdu_that_was_not_turned(self) -> None:
        """Destination and origin must change places."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)
        out: list[bytes] = []
        outlet.crew.start(0, out)
        answer = outlet.switch.answer(out[0])[0]

        outlet.crew.take(answer[:2] + TPDU + answer[7:], MS, [])

        assert 1 == outlet.fleet.tally.wrong

    def test_notices_an_approval_without_its_code(self) -> None:
        """DE37 and DE38 are due on 00."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)
        out: list[bytes] = []
        outlet.crew.start(0, out)
        mti, fields = decode_frame(outlet.switch.answer(out[0])[0])
        del fields[38]

        outlet.crew.take(encode_frame(mti, fields, tpdu=bytes.fromhex("6000000003")), MS, [])

        assert 1 == outlet.fleet.tally.wrong

    @pytest.mark.parametrize("frame", [b"\x00\x0f" + bytes(15), b"\x00\x10" + b"\xff" * 16])
    def test_survives_what_is_no_answer(self, frame: bytes) -> None:
        """Garbage is counted and changes nothing."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)

        outlet.crew.take(frame, MS, [])

        assert 1 == outlet.fleet.tally.wrong

    def test_counts_an_answer_that_nobody_waits_for(self) -> None:
        """The same answer twice is unexpected the second time."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)
        out: list[bytes] = []
        outlet.crew.start(0, out)
        answer = outlet.switch.answer(out[0])[0]

        outlet.crew.take(answer, MS, [])
        outlet.crew.take(answer, MS, [])

        assert 1 == outlet.fleet.tally.unexpected

    def test_names_no_card_in_a_problem(self) -> None:
        """A complaint shows terminal and STAN and no digit of the card."""
        outlet = Outlet(FakeSwitch(swaps_amounts=True), PURCHASES_ONLY)

        outlet.start(1)

        assert ["answer does not echo its request (LSK00001, STAN 000001)"] == (
            outlet.fleet.tally.problems
        )


class TestPatience:
    def test_reverses_after_its_time_and_repeats_until_answered(self) -> None:
        """Silence brings a reversal, silence again its repeat, an answer the end."""
        switch = FakeSwitch(silent_mtis={"0200", "0400", "0420"})
        outlet = Outlet(switch, PURCHASES_ONLY)
        outlet.start(1)

        first, second = outlet.wait(), outlet.wait()

        assert first in (["0400"], ["0420"])
        assert [first[0][:3] + "1"] == second
        assert 0 == outlet.crew.open_requests()
        assert [State.WITHDRAWN] == states(outlet)
        assert 1 == outlet.fleet.tally.unanswered

    def test_waits_ten_seconds(self) -> None:
        """Nothing is reversed before its time."""
        outlet = Outlet(FakeSwitch(silent_mtis={"0200"}), PURCHASES_ONLY)
        outlet.start(1)
        out: list[bytes] = []

        outlet.crew.sweep(UNANSWERED_AFTER_NS - 1, out)

        assert [] == out

    def test_takes_a_late_answer_for_late(self) -> None:
        """An answer that crosses the reversal changes no belief."""
        outlet = Outlet(FakeSwitch(), PURCHASES_ONLY)
        out: list[bytes] = []
        outlet.crew.start(0, out)
        answer = outlet.switch.answer(out[0])[0]
        reversal: list[bytes] = []
        outlet.crew.sweep(UNANSWERED_AFTER_NS, reversal)

        outlet.crew.take(answer, UNANSWERED_AFTER_NS + MS, [])
        outlet.exchange(reversal)

        assert 1 == outlet.fleet.tally.late
        assert [State.WITHDRAWN] == states(outlet)

    def test_lets_an_inquiry_go(self) -> None:
        """An inquiry moves no money, so its silence needs no reversal."""
        outlet = Outlet(FakeSwitch(silent_mtis={"0100", "0200"}), {Kind.INQUIRY: 1.0})
        outlet.start(2)

        assert [] == outlet.wait()
        assert 0 == outlet.crew.open_requests()

    @pytest.mark.parametrize("kind", list(Kind))
    def test_settles_every_kind_when_purchases_stay_unanswered(self, kind: Kind) -> None:
        """Whatever a silent switch leaves behind, the reversals end it."""
        outlet = Outlet(FakeSwitch(silent_mtis={"0200", "0201", "0100"}), {kind: 1.0})
        outlet.start(20)

        outlet.wait()
        outlet.wait()

        assert 0 == outlet.crew.open_requests()
        assert State.UNANSWERED not in states(outlet)
