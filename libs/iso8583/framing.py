"""Cut a TCP stream into frames and build frames; no field of a message is looked at here."""

from typing import Final, NamedTuple

from libs.iso8583.transport import TPDU_BYTES, FrameRules

_LENGTH_BYTES: Final = 2

OVERSIZE: Final = "oversize"
TOO_SHORT: Final = "too_short"
TPDU_ID: Final = "tpdu_id"


class Frame(NamedTuple):
    """One whole frame: the TPDU (empty where the dialect has none) and the message behind it."""

    tpdu: bytes
    message: bytes

    def __repr__(self) -> str:
        return f"<Frame tpdu {self.tpdu.hex()} message of {len(self.message)} bytes>"


class FrameReader:
    """Take a socket's bytes as they come and give back whole frames, in order.

    Keeps no more than what has arrived: the length that a frame claims reserves nothing. After a
    break ``broken`` holds its label and everything that follows is ignored, since nobody knows
    where the next frame begins; frames in front of the break are still returned.
    """

    __slots__ = ("_buffer", "_header", "_max", "_min", "_need", "_tpdu_id", "broken")

    def __init__(self, rules: FrameRules) -> None:
        self._header = rules.tpdu_bytes
        self._min = rules.tpdu_bytes + rules.message_min
        self._max = rules.length_max
        self._tpdu_id = rules.tpdu_id
        self._buffer = bytearray()
        self._need = _LENGTH_BYTES  # Bytes in the buffer before looking again is worth while.
        self.broken: str | None = None

    @property
    def in_frame(self) -> bool:
        """Tell whether an unfinished frame is waiting, so that its deadline runs."""
        return len(self._buffer) > 0

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete. Never raises; look at ``broken`` after."""
        if self.broken is not None:
            return []
        buffer = self._buffer
        if buffer:
            buffer += data
            if len(buffer) < self._need:
                return []
            data = bytes(buffer)
            buffer.clear()
        frames: list[Frame] = []
        at = 0
        end = len(data)
        while end - at >= _LENGTH_BYTES:
            length = data[at] << 8 | data[at + 1]
            if length == 0:
                at += _LENGTH_BYTES  # A keep-alive.
                continue
            start = at + _LENGTH_BYTES
            self.broken = self._trouble(length, data[start : start + 1])
            if self.broken is not None:
                return frames
            if end - start < length:
                # The TPDU's first byte is looked at as soon as it is there.
                self._need = _LENGTH_BYTES + (length if end > start else 1)
                break
            body = start + self._header
            at = start + length
            frames.append(Frame(data[start:body], data[body:at]))
        else:
            self._need = _LENGTH_BYTES
        buffer += data[at:]
        return frames

    def _trouble(self, length: int, tpdu_id: bytes) -> str | None:
        if length > self._max:
            return OVERSIZE
        if length < self._min:
            return TOO_SHORT
        if self._header and tpdu_id and tpdu_id[0] != self._tpdu_id:
            return TPDU_ID
        return None


def answer_frame(request_tpdu: bytes, message: bytes) -> bytes:
    """Frame an answer: length, the request's TPDU with its two addresses exchanged, message."""
    if request_tpdu:
        assert len(request_tpdu) == TPDU_BYTES
        request_tpdu = request_tpdu[:1] + request_tpdu[3:] + request_tpdu[1:3]
    return request_frame(request_tpdu, message)


def request_frame(tpdu: bytes, message: bytes) -> bytes:
    """Frame a message behind the TPDU as given (for those who ask: terminals, tools, tests)."""
    return (len(tpdu) + len(message)).to_bytes(_LENGTH_BYTES, "big") + tpdu + message
