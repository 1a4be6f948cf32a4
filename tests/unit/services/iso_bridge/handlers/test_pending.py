"""A repeat of a key that is still pending joins it (DESIGN 4)."""

import pytest

from loadtests.frames import TPDU, decode_frame, encode_frame, pan_of
from services.iso_bridge.handlers.waiting import EARLIER_MAX
from tests.unit.services.iso_bridge.edge import (
    INQUIRY,
    PURCHASE,
    REVERSAL,
    Edge,
    FakeCaller,
    approved,
    changed,
)


class TestJoin:
    def test_makes_no_second_command(self) -> None:
        """The repeat waits for the first command; the answer goes to the latest socket only."""
        edge, first, second = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, first)
        edge.ask("0201", changed(PURCHASE, de24="009", de62="AGAIN"), second)
        edge.reply(0, approved())

        assert (1, [], 1) == (len(edge.queue.records), first.sent, len(second.sent))
        assert (0, 0, 0) == (first.owed, second.owed, len(edge.pending))
        fields = decode_frame(second.sent[0])[1]
        assert ("009", "AGAIN") == (fields[24], fields[62])

    def test_falls_back_to_the_socket_that_is_open(self) -> None:
        """When the latest socket has closed, an earlier one hears the answer."""
        edge, first, second = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, first)
        edge.ask("0201", PURCHASE, second)
        second.is_open = False
        edge.reply(0, approved())

        assert ([], 1) == (second.sent, len(first.sent))

    def test_does_not_fall_back_to_a_socket_whose_time_is_over(self) -> None:
        """The time that a repeat has is its own: who asked before it no longer listens."""
        edge, first, second = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, first)
        edge.clock.advance(7_000)
        edge.ask("0201", PURCHASE, second)
        second.is_open = False
        edge.clock.advance(1_000)
        edge.reply(0, approved())

        assert ([], []) == (first.sent, second.sent)
        assert (0, 0, 0) == (first.owed, second.owed, len(edge.pending))

    def test_answers_once_on_one_socket(self) -> None:
        """Two copies on one socket get one answer."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.ask("0200", PURCHASE, caller)
        edge.reply(0, approved())

        assert (1, 0) == (len(caller.sent), caller.owed)
        assert len(encode_frame("0200", PURCHASE, TPDU)) < len(caller.sent[0])

    @pytest.mark.parametrize(
        "change",
        [
            {"de2": pan_of(2)},
            {"de3": "000001"},
            {"de4": "000005000001"},
            {"de42": "BUMA00000000002"},
            {"de37": "RRN000000002"},
        ],
    )
    def test_lets_other_content_set_out_by_itself(self, change: dict[str, str]) -> None:
        """The ledger alone says 94; card, DE3, DE4, DE42 and DE37 are looked at."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de37="RRN000000001"))
        edge.ask("0200", changed(PURCHASE, **{"de37": "RRN000000001", **change}))
        edge.ask("0200", changed(PURCHASE, de37="RRN000000001"))

        assert len(edge.queue.records) == 2

    @pytest.mark.parametrize(
        ("mti", "change"),
        [
            ("0200", {"de37": None}),
            ("0201", {}),
            ("0200", {"de12": "130000"}),
            ("0200", {"de2": None, "de35": pan_of(1) + "D3012"}),
        ],
    )
    def test_ignores_what_a_repeat_may_change(
        self, mti: str, change: dict[str, str | None]
    ) -> None:
        """DE37 counts only where both sent one; DE12, DE24 and the form of the card do not."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de37="RRN000000001"))
        edge.ask(mti, changed(PURCHASE, **{"de37": "RRN000000001", **change}))

        assert len(edge.queue.records) == 1

    @pytest.mark.parametrize("change", [{"de11": "000002"}, {"de13": "1123"}])
    def test_keeps_other_keys_apart(self, change: dict[str, str]) -> None:
        """Another STAN or day is another message."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.ask("0200", changed(PURCHASE, **change))

        assert len(edge.queue.records) == 2

    def test_keeps_purchase_and_reversal_apart(self) -> None:
        """A reversal of what is pending sets out at once; its own repeats join it."""
        edge, buyer, undoer = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, buyer)
        edge.ask("0400", REVERSAL, undoer)
        edge.ask("0401", REVERSAL, undoer)

        assert len(edge.queue.records) == 2
        edge.reply(1, approved())
        assert ([], 1) == (buyer.sent, len(undoer.sent))

    def test_does_not_join_a_purchase_that_is_being_reversed(self) -> None:
        """A repeat behind a reversal must hear 68 from the ledger, not the first 00."""
        edge, buyer, repeater = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, buyer)
        edge.ask("0400", REVERSAL)
        edge.ask("0201", PURCHASE, repeater)
        edge.reply(0, approved())

        assert (3, 1, []) == (len(edge.queue.records), len(buyer.sent), repeater.sent)

    def test_never_joins_inquiries(self) -> None:
        """Each inquiry is answered afresh."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0100", INQUIRY, caller)
        edge.ask("0100", INQUIRY, caller)
        edge.reply(0, approved())
        edge.reply(1, approved())

        assert len(caller.sent) == 2

    def test_gives_the_repeat_its_own_time(self) -> None:
        """The socket waits 8 s from the repeat on, not from the first message."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.clock.advance(7_000)
        edge.ask("0201", PURCHASE, caller)
        edge.clock.advance(7_000)
        edge.answer.sweep()
        edge.reply(0, approved())

        assert len(caller.sent) == 1
        assert edge.journal.lines[-1].took_ms == 7_000

    def test_asks_again_when_the_command_is_too_old(self) -> None:
        """After the command's own deadline a repeat must reach the ledger, joined or not."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.clock.advance(7_000)
        edge.ask("0201", PURCHASE)
        edge.clock.advance(2_000)
        edge.ask("0201", PURCHASE)
        edge.ask("0201", PURCHASE)

        assert len(edge.queue.records) == 2

    def test_asks_again_when_the_send_was_in_doubt(self) -> None:
        """A command that may never have left takes no repeats, but its answer still counts."""
        edge, first, second = Edge(), FakeCaller(), FakeCaller()
        edge.ask("0200", PURCHASE, first)
        edge.queue.on_unknown[0]()
        edge.ask("0201", PURCHASE, second)
        edge.reply(0, approved())
        edge.reply(1, approved())

        assert (2, 1, 1) == (len(edge.queue.records), len(first.sent), len(second.sent))

    def test_asks_again_after_an_answer(self) -> None:
        """Once answered, a repeat is the ledger's to answer, with the balances of then."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.reply(0, approved())
        edge.ask("0201", PURCHASE)

        assert len(edge.queue.records) == 2

    def test_remembers_a_few_sockets(self) -> None:
        """A terminal that dials on and on holds a bounded number of sockets open."""
        edge = Edge()
        callers = [FakeCaller() for _ in range(EARLIER_MAX + 3)]
        for caller in callers:
            edge.ask("0200", PURCHASE, caller)

        assert [caller.owed for caller in callers] == [0, 0] + [1] * (EARLIER_MAX + 1)


class TestBound:
    def test_sheds_by_silence(self) -> None:
        """Above the bound a new command does not set out; a repeat of a pending one joins."""
        edge, caller = Edge(in_flight_max=2), FakeCaller()
        for stan in ("000001", "000002", "000003", "000002"):
            edge.ask("0200", changed(PURCHASE, de11=stan), caller)

        assert (2, 3) == (len(edge.queue.records), caller.owed)
        assert edge.journal.counted == [("silent", "shed")]

    def test_makes_room_with_each_answer(self) -> None:
        """What was answered counts no more."""
        edge = Edge(in_flight_max=1)
        edge.ask("0200", PURCHASE)
        edge.reply(0, approved())
        edge.ask("0200", changed(PURCHASE, de11="000002"))

        assert len(edge.queue.records) == 2
