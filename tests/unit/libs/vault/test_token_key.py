"""Tokens: what they are made of, and that their key does not show."""

import hmac
import pickle

import pytest

from libs.iso8583 import Pan
from libs.vault import TOKEN_BYTES, TokenKey

KEY = bytes(range(32))
PAN = Pan("9360099900000016")


class TestToken:
    def test_is_the_front_of_an_hmac(self) -> None:
        """A token is HMAC-SHA256 over the digits, cut to 16 bytes, as every partner can count."""
        expected = hmac.digest(KEY, b"9360099900000016", "sha256")[:TOKEN_BYTES]

        assert expected == TokenKey(KEY).token(PAN)

    def test_differs_under_another_key(self) -> None:
        """Without the key a token says nothing: another key makes another token."""
        assert TokenKey(KEY).token(PAN) != TokenKey(bytes(32)).token(PAN)

    def test_stays_the_same_however_often_it_is_asked(self) -> None:
        """The prepared states are copied, not used up."""
        key = TokenKey(KEY)

        assert key.token(PAN) == key.token(PAN)


class TestSecrecy:
    def test_shows_no_key(self) -> None:
        """A printed key is stars."""
        assert "TokenKey(***)" == repr(TokenKey(KEY))

    def test_is_not_pickled(self) -> None:
        """A key does not leave the process by accident."""
        with pytest.raises(TypeError):
            pickle.dumps(TokenKey(KEY))
