"""Frames out of a stream, however it is cut, and into one."""

import pytest

from libs.iso8583 import Dialect, Frame, FrameReader, answer_frame, request_frame

TPDU = bytes.fromhex("6000031234")
MESSAGE = bytes.fromhex("0800202000000080000000000141424344454647")


@pytest.fixture
def reader(dialect: Dialect) -> FrameReader:
    """Give a reader for the edc frame."""
    return FrameReader(dialect.transport.frame)


class TestFeed:
    def test_returns_a_whole_frame(self, reader: FrameReader) -> None:
        """One segment with one frame gives TPDU and message."""
        frames = reader.feed(request_frame(TPDU, MESSAGE))

        assert [Frame(TPDU, MESSAGE)] == frames
        assert not reader.in_frame

    def test_returns_many_frames_of_one_segment_in_order(self, reader: FrameReader) -> None:
        """Three frames in one segment come out as three, first one first."""
        messages = [MESSAGE + bytes([number]) for number in range(3)]

        frames = reader.feed(b"".join(request_frame(TPDU, message) for message in messages))

        assert messages == [frame.message for frame in frames]

    def test_waits_for_the_last_byte(self, reader: FrameReader) -> None:
        """Fed byte by byte, a frame comes out with its last byte and not before."""
        stream = request_frame(TPDU, MESSAGE)

        early = [reader.feed(stream[at : at + 1]) for at in range(len(stream) - 1)]
        was_waiting = reader.in_frame
        last = reader.feed(stream[-1:])

        assert all(frames == [] for frames in early)
        assert was_waiting
        assert [Frame(TPDU, MESSAGE)] == last
        assert not reader.in_frame

    def test_counts_one_byte_of_length_as_inside_a_frame(self, reader: FrameReader) -> None:
        """The frame deadline runs from the first byte, which is half a length."""
        reader.feed(b"\x00")

        assert reader.in_frame

    def test_ignores_a_keep_alive(self, reader: FrameReader) -> None:
        """Length 0 is no frame, alone and between frames."""
        assert [] == reader.feed(b"\x00\x00")
        assert not reader.in_frame
        frame = request_frame(TPDU, MESSAGE)
        assert 2 == len(reader.feed(b"\x00\x00" + frame + b"\x00\x00" + frame + b"\x00\x00"))
        assert reader.broken is None

    def test_takes_a_frame_of_the_maximum(self, reader: FrameReader) -> None:
        """4,096 bytes behind the length are allowed."""
        message = bytes(4096 - len(TPDU))

        assert [Frame(TPDU, message)] == reader.feed(request_frame(TPDU, message))

    def test_breaks_one_byte_above_the_maximum(self, reader: FrameReader) -> None:
        """4,097 is oversize, said as soon as the length is there."""
        assert [] == reader.feed(b"\x10\x01")
        assert "oversize" == reader.broken

    def test_takes_the_shortest_message(self, reader: FrameReader) -> None:
        """TPDU, message type and bitmap are the least a frame may hold."""
        assert [Frame(TPDU, MESSAGE[:10])] == reader.feed(request_frame(TPDU, MESSAGE[:10]))

    def test_breaks_below_the_shortest_message(self, reader: FrameReader) -> None:
        """One byte less than TPDU, message type and bitmap cannot be a message."""
        assert [] == reader.feed(b"\x00\x0e")
        assert "too_short" == reader.broken

    def test_breaks_at_another_tpdu_id_before_the_frame_is_there(self, reader: FrameReader) -> None:
        """The first byte of the TPDU is looked at when it arrives, not at the frame's end."""
        reader.feed(b"\x00\x20")
        reader.feed(b"\x61")

        assert "tpdu_id" == reader.broken

    def test_returns_the_frames_in_front_of_a_break(self, reader: FrameReader) -> None:
        """A good frame is not lost because garbage follows it."""
        frames = reader.feed(request_frame(TPDU, MESSAGE) + b"\xff\xff")

        assert [Frame(TPDU, MESSAGE)] == frames
        assert "oversize" == reader.broken

    def test_ignores_everything_after_a_break(self, reader: FrameReader) -> None:
        """Nobody knows where the next frame begins."""
        reader.feed(b"\xff\xff")

        assert [] == reader.feed(request_frame(TPDU, MESSAGE))
        assert "oversize" == reader.broken

    def test_keeps_no_more_than_what_came(self, reader: FrameReader) -> None:
        """A claimed length of 4,096 reserves nothing."""
        reader.feed(b"\x10\x00\x60")

        assert 3 == len(reader._buffer)


class TestBuild:
    def test_swaps_the_addresses_of_the_tpdu(self) -> None:
        """The answer goes to the request's origin and comes from its destination."""
        frame = answer_frame(TPDU, MESSAGE)

        assert bytes.fromhex("6012340003") == frame[2:7]

    def test_counts_tpdu_and_message(self) -> None:
        """The length counts what follows it and not itself."""
        frame = answer_frame(TPDU, MESSAGE)

        assert len(frame) - 2 == int.from_bytes(frame[:2], "big")
        assert MESSAGE == frame[7:]

    def test_frames_without_a_tpdu(self) -> None:
        """A dialect without TPDU has none to swap."""
        assert b"\x00\x14" + MESSAGE == answer_frame(b"", MESSAGE)

    def test_shows_no_bytes_of_the_message(self) -> None:
        """The text of a frame holds its size, not its content."""
        assert MESSAGE.hex() not in repr(Frame(TPDU, MESSAGE))
        assert "20 bytes" in repr(Frame(TPDU, MESSAGE))
