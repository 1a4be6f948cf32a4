"""Tokens and seals for any key and any card number."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from libs.iso8583 import Pan
from libs.vault import TokenKey, Vault

digits = st.text("0123456789", min_size=1, max_size=19)


@given(key=st.binary(min_size=1, max_size=200), number=digits)
def test_token_is_an_hmac_whatever_the_key(key: bytes, number: str) -> None:
    """Keys shorter and longer than a block are padded and hashed as RFC 2104 says."""
    expected = hmac.digest(key, number.encode(), "sha256")[:16]

    assert expected == TokenKey(key).token(Pan(number))


@given(
    keys=st.dictionaries(
        st.integers(1, 255), st.binary(min_size=32, max_size=32), min_size=1, max_size=4
    ),
    number=digits,
    token=st.binary(min_size=16, max_size=16),
)
def test_what_is_sealed_opens(keys: dict[int, bytes], number: str, token: bytes) -> None:
    """Whatever the keys, the newest seals and the same vault opens."""
    vault = Vault(keys)
    sealed = vault.seal(Pan(number), token=token)

    assert max(keys) == sealed[0]
    assert Pan(number) == vault.open_(sealed, token=token)
