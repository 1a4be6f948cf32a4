"""Secrets that show themselves masked, whatever is done to print them."""

import copy
import pickle
import traceback

import pytest

from libs.iso8583 import Pan, Sealed, Track2, mask_pan
from libs.iso8583.masking import mask_track

PAN = "9360099900000016"
TRACK = f"{PAN}D30122010000000000"
Secret = Pan | Track2 | Sealed
SECRETS: list[Secret] = [Pan(PAN), Track2(TRACK), Sealed("000000123456"), Sealed(b"\xa1\xb2\xc3")]


@pytest.mark.parametrize("secret", SECRETS, ids=["pan", "track2", "text", "bytes"])
class TestSecret:
    def test_prints_masked_in_every_way(self, secret: Secret) -> None:
        """repr, str, format and containers show no middle digits."""
        shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr([secret])]

        assert all("***" in text for text in shown)
        assert not any("9900000" in text or "123456" in text for text in shown)

    def test_is_not_pickled_or_copied(self, secret: Secret) -> None:
        """Serialising is the way by which secrets leave a process unseen."""
        with pytest.raises(TypeError):
            pickle.dumps(secret)
        with pytest.raises(TypeError):
            copy.copy(secret)

    def test_has_no_dict_to_dump(self, secret: Secret) -> None:
        """``vars`` is what debuggers and error trackers look at."""
        assert not hasattr(secret, "__dict__")

    def test_is_equal_by_content(self, secret: Secret) -> None:
        """Two of one content are one key; its clear text alone is another thing."""
        same = type(secret)(secret.in_clear())  # type: ignore[arg-type]  # Each takes what it gives.

        assert secret == same
        assert hash(secret) == hash(same)
        assert secret != secret.in_clear()


class TestMask:
    @pytest.mark.parametrize(
        ("digits", "shown"),
        [
            (PAN, "936009******0016"),
            ("12345678901", "123456*8901"),
            ("1234567890", "***"),
            ("1", "***"),
            ("", "***"),
        ],
    )
    def test_shows_six_and_four(self, digits: str, shown: str) -> None:
        """A number too short to hide anything is hidden as a whole."""
        assert shown == mask_pan(digits)

    def test_shows_nothing_of_a_track_behind_its_number(self) -> None:
        """Expiry and service code stay hidden with the rest."""
        assert "936009******0016D***" == mask_track(TRACK)


class TestTrack2:
    def test_gives_number_and_expiry(self) -> None:
        """The parts that rules need."""
        track = Track2(TRACK)

        assert Pan(PAN) == track.pan()
        assert "3012" == track.expiry()

    @pytest.mark.parametrize("rest", ["D", "D301", "DD201"])
    def test_has_no_expiry_when_it_is_not_there(self, rest: str) -> None:
        """Too few digits, or a separator in place of the date."""
        assert "" == Track2(PAN + rest).expiry()


def test_a_traceback_through_a_secret_shows_nothing() -> None:
    """An exception raised beside a secret does not print it."""
    pan = Pan(PAN)

    with pytest.raises(ValueError, match="about") as caught:
        raise ValueError(f"something about {pan}")

    text = "".join(traceback.format_exception(caught.value))
    assert PAN not in text
    assert "936009******0016" in text
