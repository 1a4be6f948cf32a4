"""A second factor as it is handed to its owner, once; no code is computed here."""

from typing import NamedTuple


class Factor(NamedTuple):
    """A second factor before its owner has it."""

    secret: str  # Base 32, as an authenticator takes it.
    uri: str  # otpauth://, for a QR code.
    sealed: bytes

    def __repr__(self) -> str:
        return "Factor(***)"
