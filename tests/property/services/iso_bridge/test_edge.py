"""Whatever bytes come, in whatever pieces and order: answers or silence, never an exception."""

import asyncio
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.iso8583 import FrameRules
from loadtests.frames import TPDU, TPDU_AT, decode_frame, encode_frame, pan_of
from services.iso_bridge.adapters.connection import Connection, SocketRules
from services.iso_bridge.domain.patience import Patience
from tests.unit.services.iso_bridge.edge import (
    INQUIRY,
    NETWORK,
    PAN,
    PURCHASE,
    REVERSAL,
    Edge,
    FakeCaller,
    approved,
    changed,
)

START = TPDU_AT + len(TPDU)
WELL_FORMED = [
    encode_frame("0200", changed(PURCHASE, de48="GC160001000001000000", de35=PAN + "D3012")),
    encode_frame("0100", INQUIRY),
    encode_frame("0420", REVERSAL),
    encode_frame("0800", changed(NETWORK, de62="x")),
    encode_frame("0200", changed(PURCHASE, de4="0" * 12)),
]


RULES = SocketRules(
    frame=FrameRules(length_max=0, tpdu="swap", tpdu_id=0, message_min=0),
    patience=Patience(60, 30, 900),
    keepalive_interval_ms=30_000,
    keepalive_count=3,
    dropped_in_a_row_max=10,
    unsent_bytes_max=1_000,
    is_tls=False,
)


class FakeTransport:
    """Collects what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = False

    def set_write_buffer_limits(self, high: int) -> None:
        """Take no notice."""

    def get_extra_info(self, name: str) -> None:
        """Have no socket."""

    def write(self, data: bytes) -> None:
        """Collect."""
        assert not self.is_closed
        self.written += data

    def close(self) -> None:
        """Close."""
        self.is_closed = True


def play(data: bytes, cuts: list[int]) -> tuple[bytes, bool, int]:
    """Return what is written, whether the socket was closed, and how many requests went on."""
    edge, transport = Edge(), FakeTransport()
    connection = Connection(
        RULES._replace(frame=edge.desk.dialect.transport.frame),
        lambda caller, frame: edge.receive(caller, edge.desk, frame),
        clock=edge.clock,
        journal=edge.journal,
        closed=lambda _: None,
    )
    connection.connection_made(cast("asyncio.Transport", transport))
    at = 0
    for cut in [*sorted(cuts), len(data)]:
        if cut > at and not transport.is_closed:
            connection.data_received(data[at:cut])
            at = cut
    assert not [entry for entry in edge.journal.counted if entry[0] == "failed"]
    return transport.written, transport.is_closed, len(edge.queue.records)


@given(
    frames=st.lists(st.sampled_from([*WELL_FORMED, b"\0\0", b"\xff\xff"]), max_size=6),
    cuts=st.lists(st.integers(0, 600), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_reads_the_same_in_any_pieces(frames: list[bytes], cuts: list[int]) -> None:
    """One segment, one byte at a time, or anything between: the same answers and requests."""
    data = b"".join(frames)
    whole = play(data, [])

    assert whole == play(data, [cut for cut in cuts if cut < len(data)])
    assert whole == play(data, list(range(len(data))))


@given(
    frame=st.sampled_from(WELL_FORMED),
    edits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
    keep=st.integers(10, 300),
    tail=st.binary(max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_survives_any_damage(
    frame: bytes, edits: list[tuple[int, int]], keep: int, tail: bytes
) -> None:
    """A damaged message is answered in form, goes on, or is dropped; no card is written down."""
    message = bytearray(frame[START:][:keep] + tail)
    for at, value in edits:
        message[at % len(message)] = value
    edge = Edge()
    answer = edge.feed(TPDU_AT * b"\0" + TPDU + bytes(message))

    assert not [entry for entry in edge.journal.counted if entry[0] == "failed"]
    if answer:
        assert decode_frame(answer)[1][39] in {"00", "12", "13", "30", "58", "63"}
    assert (answer is None) == bool([e for e in edge.journal.counted if e[0] == "dropped"])
    assert PAN not in repr(edge.journal)


@given(message=st.binary(min_size=10, max_size=200))
@settings(max_examples=300, deadline=None)
def test_survives_garbage(message: bytes) -> None:
    """Random bytes never raise and are never taken for money."""
    edge = Edge()
    edge.feed(TPDU_AT * b"\0" + TPDU + message)

    assert not [entry for entry in edge.journal.counted if entry[0] == "failed"]
    assert edge.queue.records == []


STEPS = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("reverse"), st.integers(0, 3), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("inquire"), st.integers(0, 3), st.just(0), st.just(0)),
    st.tuples(st.just("answer"), st.integers(0, 20), st.just(0), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 5_000), st.just(0), st.just(0)),
    st.tuples(st.just("hang up"), st.integers(0, 3), st.just(0), st.just(0)),
    st.tuples(st.just("doubt"), st.integers(0, 20), st.just(0), st.just(0)),
)


@given(steps=st.lists(STEPS, max_size=40))
@settings(max_examples=150, deadline=None)
def test_settles_every_debt(steps: list[tuple[str, int, int, int]]) -> None:
    """In any order of messages, answers, time and hang-ups nobody is owed anything at the end.

    And nobody hears more answers than it asked questions.
    """
    edge, callers = Edge(in_flight_max=6), [FakeCaller() for _ in range(4)]
    asked = [0] * len(callers)
    for what, first, stan, card in steps:
        if what in ("ask", "reverse", "inquire"):
            base = {"ask": PURCHASE, "reverse": REVERSAL, "inquire": INQUIRY}[what]
            mti = {"ask": "0200", "reverse": "0400", "inquire": "0100"}[what]
            fields = changed(base, de11=f"{stan:06d}", de2=pan_of(1 + card))
            asked[first] += 1
            edge.ask(mti, fields, callers[first])
        elif what == "answer" and first < len(edge.queue.records):
            correlation_id = edge.envelopes()[first].correlation_id
            if correlation_id in edge.inbox.waiting:
                edge.reply(first, approved())
        elif what == "wait":
            edge.clock.advance(first)
            edge.answer.sweep()
        elif what == "hang up":
            callers[first].is_open = False
        elif what == "doubt" and first < len(edge.queue.on_unknown):
            edge.queue.on_unknown[first]()
        assert len(edge.pending) == len(edge.inbox.waiting) <= 6
    edge.clock.advance(20_000)
    edge.answer.sweep()

    assert [0] * len(callers) == [caller.owed for caller in callers]
    assert (0, {}) == (len(edge.pending), edge.inbox.waiting)
    assert edge.pending._by_key == {}
    assert all(len(one.sent) <= count for one, count in zip(callers, asked, strict=True))
