"""What a terminal hears of the ledger's answer, field by field (edc.md, Messages)."""

from collections.abc import Mapping

import pytest

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, PurseAmount
from libs.outcome import Outcome
from loadtests.frames import decode_frame, encode_frame
from tests.unit.services.iso_bridge.edge import (
    INQUIRY,
    PURCHASE,
    REVERSAL,
    Edge,
    FakeCaller,
    Fields,
    approved,
    changed,
)

OWN = PurseAmount(account=1, amount_minor=95_000_000)
PROGRAMME = PurseAmount(account=2, programme=1, amount_minor=20_000_000)
BALANCES = "6002360C0000950000006502360C000020000000"


def hear(mti: str, fields: Mapping[int, str], answer: LedgerAnswer) -> Fields:
    """Return the fields of the one frame that the terminal gets."""
    edge, caller = Edge(), FakeCaller()
    edge.ask(mti, fields, caller)
    edge.reply(0, answer)
    assert caller.owed == 0
    return decode_frame(caller.sent[0])[1]


def refused(outcome: Outcome, **more: object) -> LedgerAnswer:
    """Return a refusal by the ledger."""
    answer = LedgerAnswer(outcome=outcome.number)
    answer.MergeFrom(LedgerAnswer(**more))  # type: ignore[arg-type]  # -- named by the test
    return answer


class TestPurchase:
    def test_tells_an_approval(self) -> None:
        """DE37, 38, 39 and 54 are added to what is echoed; no DE48 when the own purse paid all."""
        heard = hear(
            "0200",
            changed(PURCHASE, de7="1124030000", de14="3012", de49="360", de62="INV"),
            approved(
                balances=[OWN, PROGRAMME], paid=[PurseAmount(account=1, amount_minor=5_000_000)]
            ),
        )

        echoed = changed(PURCHASE, de22=None, de7="1124030000", de49="360", de62="INV")
        assert heard == {
            **echoed, 37: "000000000123", 38: "000123", 39: "00", 54: BALANCES,
        }  # fmt: skip

    def test_tells_what_each_purse_paid(self) -> None:
        """DE48 PS is there as soon as a restricted purse paid, in the order of paying."""
        heard = hear(
            "0200",
            changed(PURCHASE, de48="GC160001000005000000"),
            approved(
                paid=[
                    PurseAmount(account=2, programme=1, amount_minor=2_000_000),
                    PurseAmount(account=1, amount_minor=3_000_000),
                ]
            ),
        )

        assert heard[48] == "PS36650001000002000000600000000003000000"

    def test_tells_a_restricted_purse_that_paid_all(self) -> None:
        """One restricted purse alone is told too."""
        heard = hear(
            "0200",
            PURCHASE,
            approved(paid=[PurseAmount(account=2, programme=7, amount_minor=5_000_000)]),
        )

        assert heard[48] == "PS18650007000005000000"

    def test_tells_the_balance_when_money_is_short(self) -> None:
        """DE54 is there on 51; DE38 and DE48 are not, nor is a request's DE48 echoed."""
        heard = hear(
            "0200",
            changed(PURCHASE, de48="GC160001000005000000"),
            refused(Outcome.FUNDS_SHORT, rrn="000000000124", balances=[OWN, PROGRAMME]),
        )

        expected = {**changed(PURCHASE, de22=None), 37: "000000000124", 39: "51", 54: BALANCES}
        assert heard == expected

    @pytest.mark.parametrize(
        "outcome",
        [one for one in Outcome if one not in (Outcome.APPROVED, Outcome.FUNDS_SHORT)],
    )
    def test_tells_every_refusal_without_balances(self, outcome: Outcome) -> None:
        """DE39 is the dialect's code; DE38, 48 and 54 stay away even if somebody sent them."""
        heard = hear(
            "0200",
            PURCHASE,
            refused(
                outcome,
                rrn="000000000125",
                approval_code="000125",
                balances=[OWN],
                paid=[PROGRAMME],
            ),
        )

        expected = {**changed(PURCHASE, de22=None), 37: "000000000125", 39: outcome.de39}
        assert heard == expected

    def test_shows_a_negative_balance_as_debit(self) -> None:
        """A purse below zero is D."""
        heard = hear(
            "0200", PURCHASE, approved(balances=[PurseAmount(account=1, amount_minor=-150)])
        )

        assert heard[54] == "6002360D000000000150"

    @pytest.mark.parametrize("outcome", [Outcome.REVERSED, Outcome.DATE_OUT_OF_WINDOW])
    def test_gives_no_number_of_ours(self, outcome: Outcome) -> None:
        """68 of a reversed key and 30 of a far day have DE37 only when the terminal sent it."""
        sent = changed(PURCHASE, de37="RRN000000001")

        assert 37 not in hear("0200", PURCHASE, refused(outcome))
        assert hear("0200", sent, refused(outcome))[37] == "RRN000000001"

    def test_gives_a_conflict_a_number(self) -> None:
        """DE37 is A in 94, though no row stands behind it."""
        heard = hear("0200", PURCHASE, refused(Outcome.DUPLICATE_REFERENCE))

        assert ("94", "E") == (heard[39], heard[37][0])

    def test_lets_the_first_answers_number_win(self) -> None:
        """A repeat hears the first answer's DE37, whatever it sent itself."""
        heard = hear("0201", changed(PURCHASE, de37="RRN000000002"), approved(is_replay=True))

        assert heard[37] == "000000000123"


class TestInquiry:
    def test_tells_the_balances(self) -> None:
        """00 has DE37, 38 and 54; DE12 and DE13 only if they were sent."""
        heard = hear("0100", INQUIRY, approved(balances=[OWN, PROGRAMME]))

        expected = {**INQUIRY, 37: "000000000123", 38: "000123", 39: "00", 54: BALANCES}
        assert heard == expected

    def test_tells_nothing_to_a_refused_one(self) -> None:
        """A refused inquiry has no DE38 and no DE54."""
        heard = hear("0100", INQUIRY, refused(Outcome.CARD_BLOCKED, balances=[OWN]))

        assert {39, *INQUIRY, 37} == heard.keys()
        assert heard[39] == "62"


class TestReversal:
    def test_tells_the_balances_of_an_approved_purchases_card(self) -> None:
        """00 with DE54, never DE38 or DE48."""
        heard = hear(
            "0420",
            REVERSAL,
            approved(balances=[OWN], paid=[PROGRAMME]),
        )

        expected = {**REVERSAL, 37: "000000000123", 39: "00", 54: BALANCES[:20]}
        assert heard == expected

    def test_tells_no_balance_when_nothing_was_bought(self) -> None:
        """A tombstone's 00 has no DE54: the ledger gave none."""
        assert 54 not in hear("0400", REVERSAL, approved())


class TestDelivery:
    def test_answers_by_the_way_the_request_came(self) -> None:
        """TPDU addresses are swapped, message type is the answer's."""
        edge, caller = Edge(), FakeCaller()
        edge.feed(encode_frame("0201", PURCHASE, tpdu=bytes.fromhex("6012345678")), caller)
        edge.reply(0, approved())

        frame = caller.sent[0]
        assert frame[2:7].hex() == "6056781234"
        assert decode_frame(frame)[0] == "0210"

    def test_joins_the_writes_of_a_socket(self) -> None:
        """Answers that come together leave together, one write for each socket."""
        edge, caller, other = Edge(), FakeCaller(), FakeCaller()
        for number, socket in enumerate((caller, other, caller)):
            edge.ask("0200", changed(PURCHASE, de11=f"{number:06d}"), socket)
        edge.answer([edge.take(number, approved()) for number in range(3)])

        assert ([1, 1], [0, 0]) == (
            [len(caller.sent), len(other.sent)],
            [caller.owed, other.owed],
        )
        assert len(caller.sent[0]) == 2 * len(other.sent[0])

    def test_is_silent_after_the_deadline(self) -> None:
        """An answer is looked at when it would be written: at 8.000 s it is too late."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.clock.advance(8_000)
        edge.reply(0, approved())

        assert ([], 0, [("silent", "deadline")]) == (
            caller.sent,
            caller.owed,
            edge.journal.counted,
        )
        assert edge.journal.lines[0].de39 == ""

    def test_answers_in_the_last_millisecond(self) -> None:
        """At 7.999 s the terminal still hears its answer."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.clock.advance(7_999)
        edge.reply(0, approved())

        assert len(caller.sent) == 1
        assert edge.journal.lines[0].took_ms == 7_999

    def test_does_not_trust_the_wall_clock(self) -> None:
        """A wall clock that jumps an hour makes nobody late."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.clock.jump_to(edge.clock.now_ms() + 3_600_000)
        edge.reply(0, approved())

        assert len(caller.sent) == 1

    def test_is_silent_to_a_socket_that_is_gone(self) -> None:
        """Nothing is written to a closed socket, and it is counted."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        caller.is_open = False
        edge.reply(0, approved())

        assert ([], [("silent", "socket_closed")]) == (caller.sent, edge.journal.counted)

    @pytest.mark.parametrize("value", [b"\xff\xff", LedgerAnswer(outcome=77).SerializeToString()])
    def test_is_silent_when_an_answer_cannot_be_read(self, value: bytes) -> None:
        """Neither junk nor an outcome of tomorrow becomes an answer; others go on."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.ask("0200", changed(PURCHASE, de11="000002"), caller)
        edge.answer([edge.take(0, value), edge.take(1, approved())])

        assert (1, 0) == (len(caller.sent), caller.owed)
        assert ("silent", "answer_unreadable") in edge.journal.counted

    def test_is_silent_when_an_answer_does_not_fit(self) -> None:
        """A number of 13 characters is our own fault, not the terminal's."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.reply(0, approved(rrn="0" * 13))

        assert caller.sent == []
        assert ("failed", "answer", "EncodeFault") in edge.journal.counted

    def test_writes_one_line_for_an_answer(self) -> None:
        """Correlation, terminal, masked card, code and time taken."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.clock.advance(12)
        edge.reply(0, approved())

        (line,) = edge.journal.lines
        assert line.correlation_id == edge.envelopes()[0].correlation_id
        assert ("purchase", "LSK00001", "BUMA00000000001", 1) == line[2:6]
        assert ("000000000123", "936009******0016", 5_000_000, "00", 12) == line[6:]

    def test_gives_up_at_the_deadline(self) -> None:
        """The sweep counts silence and lets the socket go, oldest first, and only what is due."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)
        edge.clock.advance(5_000)
        edge.ask("0200", changed(PURCHASE, de11="000002"), caller)
        edge.clock.advance(3_000)
        edge.answer.sweep()

        assert (1, 1, 1) == (caller.owed, len(edge.pending), len(edge.inbox.waiting))
        assert edge.journal.counted == [("silent", "deadline")]
        assert [line.stan for line in edge.journal.lines] == [1]

    def test_says_that_a_send_was_in_doubt(self) -> None:
        """Silence after a send that nobody confirmed has a name of its own."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.queue.on_unknown[0]()
        edge.clock.advance(8_000)
        edge.answer.sweep()

        assert edge.journal.counted == [("silent", "send_unknown")]
