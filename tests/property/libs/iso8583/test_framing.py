"""A stream gives the same frames however the network cuts it."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.iso8583 import Frame, FrameReader, load_dialect, request_frame

PATIENT = settings(deadline=None, max_examples=300)
RULES = load_dialect(Path(__file__).parents[4] / "proto" / "iso8583" / "edc").transport.frame

TPDUS = st.binary(min_size=4, max_size=4).map(lambda rest: b"\x60" + rest)
FRAMES = st.builds(Frame, TPDUS, st.binary(min_size=10, max_size=80))


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream at some places."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


class TestFrameReader:
    @PATIENT
    @given(st.lists(st.none() | FRAMES, max_size=6), st.lists(st.integers(0, 2000), max_size=12))
    def test_gives_the_same_frames_for_every_segmentation(
        self, sent: list[Frame | None], places: list[int]
    ) -> None:
        """None stands for a keep-alive; frames come out whole and in order."""
        stream = b"".join(b"\x00\x00" if one is None else request_frame(*one) for one in sent)
        reader = FrameReader(RULES)

        found = [frame for segment in cut(stream, places) for frame in reader.feed(segment)]

        assert [one for one in sent if one is not None] == found
        assert not reader.in_frame
        assert reader.broken is None

    @PATIENT
    @given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=12))
    def test_takes_any_bytes_without_an_exception(self, stream: bytes, places: list[int]) -> None:
        """Frames and break do not depend on the segmentation either."""
        whole, pieces = FrameReader(RULES), FrameReader(RULES)

        expected = whole.feed(stream)
        found = [frame for segment in cut(stream, places) for frame in pieces.feed(segment)]

        assert (expected, whole.broken) == (found, pieces.broken)
        assert whole.in_frame == pieces.in_frame
