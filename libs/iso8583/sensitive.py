"""Values that show only their masked form; their clear text leaves by ``in_clear`` alone."""

from typing import NoReturn

from libs.iso8583.masking import HIDDEN, mask_pan, mask_track

_TRACK_EXPIRY_DIGITS = 4


class Pan:
    """A card number. Equal by digits; prints as its first six and last four."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def in_clear(self) -> str:
        """Return the digits: for tokens and the terminal's own link, never for logs."""
        return self._digits

    def __repr__(self) -> str:
        return mask_pan(self._digits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pan) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a card number is not pickled")


class Track2:
    """Track 2 of a card, separator D. Equal by content; prints masked."""

    __slots__ = ("_track",)

    def __init__(self, track: str) -> None:
        self._track = track

    def in_clear(self) -> str:
        """Return the track with separator D: for the issuer's checks, never for logs."""
        return self._track

    def pan(self) -> Pan:
        """Return the card number in front of the separator."""
        return Pan(self._track.partition("D")[0])

    def expiry(self) -> str:
        """Return YYMM as it stands behind the separator, empty when it is not there."""
        expiry = self._track.partition("D")[2][:_TRACK_EXPIRY_DIGITS]
        return expiry if len(expiry) == _TRACK_EXPIRY_DIGITS and expiry.isdigit() else ""

    def __repr__(self) -> str:
        return mask_track(self._track)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Track2) and other._track == self._track

    def __hash__(self) -> int:
        return hash(self._track)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a track is not pickled")


class Sealed:
    """Any other secret value: PIN block, chip data, track 1 or 3. Prints as stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes) -> None:
        self._value = value

    def in_clear(self) -> str | bytes:
        """Return the value: for the security module, never for logs."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value is not pickled")
