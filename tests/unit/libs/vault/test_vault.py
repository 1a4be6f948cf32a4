"""Sealed card numbers: what opens them and what does not."""

import pytest

from libs.iso8583 import Pan
from libs.vault import SealBroken, Vault

KEY, NEXT_KEY = bytes(range(32)), bytes(range(1, 33))
PAN = Pan("9360099900000016")
TOKEN, OTHER_TOKEN = b"t" * 16, b"o" * 16


class TestSeal:
    def test_opens_again(self) -> None:
        """What was sealed opens with the same token."""
        vault = Vault({1: KEY})

        assert PAN == vault.open_(vault.seal(PAN, token=TOKEN), token=TOKEN)

    def test_hides_the_digits(self) -> None:
        """Sealed bytes hold the digits neither as text nor as packed digits."""
        sealed = Vault({1: KEY}).seal(PAN, token=TOKEN)

        assert PAN.in_clear().encode() not in sealed
        assert bytes.fromhex(PAN.in_clear()) not in sealed

    def test_differs_each_time(self) -> None:
        """A random nonce: equal card numbers cannot be found by equal bytes."""
        vault = Vault({1: KEY})

        assert vault.seal(PAN, token=TOKEN) != vault.seal(PAN, token=TOKEN)

    def test_names_the_newest_key(self) -> None:
        """After a rotation new seals carry the new key's id."""
        assert 2 == Vault({1: KEY, 2: NEXT_KEY}).seal(PAN, token=TOKEN)[0]


class TestOpen:
    def test_opens_under_an_older_key(self) -> None:
        """A rotation leaves what was sealed before readable."""
        sealed = Vault({1: KEY}).seal(PAN, token=TOKEN)

        assert PAN == Vault({1: KEY, 2: NEXT_KEY}).open_(sealed, token=TOKEN)

    def test_refuses_another_row(self) -> None:
        """Sealed bytes that were moved to another card do not open."""
        vault = Vault({1: KEY})
        sealed = vault.seal(PAN, token=TOKEN)

        with pytest.raises(SealBroken):
            vault.open_(sealed, token=OTHER_TOKEN)

    @pytest.mark.parametrize("place", [1, 13, -1])
    def test_refuses_changed_bytes(self, place: int) -> None:
        """A changed nonce, text or tag is found."""
        vault = Vault({1: KEY})
        sealed = bytearray(vault.seal(PAN, token=TOKEN))
        sealed[place] ^= 1

        with pytest.raises(SealBroken):
            vault.open_(bytes(sealed), token=TOKEN)

    def test_names_a_key_that_is_missing(self) -> None:
        """The fault says which key is needed."""
        sealed = Vault({2: NEXT_KEY}).seal(PAN, token=TOKEN)

        with pytest.raises(SealBroken, match="key 2"):
            Vault({1: KEY}).open_(sealed, token=TOKEN)

    @pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 28])
    def test_refuses_what_is_too_short(self, sealed: bytes) -> None:
        """Bytes without room for nonce and tag are no seal."""
        with pytest.raises(SealBroken, match="too short"):
            Vault({1: KEY}).open_(sealed, token=TOKEN)


def test_shows_key_ids_only() -> None:
    """A printed vault names ids, for operators who rotate, and no key."""
    assert "Vault(keys 1, 2: ***)" == repr(Vault({2: NEXT_KEY, 1: KEY}))


class TestText:
    def test_opens_for_its_owner_alone(self) -> None:
        """Another short secret under the same keys, and never in the place of a card number."""
        vault = Vault({1: KEY})
        sealed = vault.seal_text("a secret", owner=TOKEN)

        assert "a secret" == vault.open_text(sealed, owner=TOKEN)
        assert b"a secret" not in sealed
        with pytest.raises(SealBroken):
            vault.open_text(sealed, owner=OTHER_TOKEN)
        with pytest.raises(SealBroken):
            vault.open_(sealed, token=TOKEN)
        with pytest.raises(SealBroken):
            vault.open_text(vault.seal(PAN, token=TOKEN), owner=TOKEN)
