"""What PostgreSQL stores of a password, against the exchange of RFC 5802 in the words of 7677."""

import base64
import hashlib
import hmac
import re

from pydantic import SecretStr

from libs.pg.scram import scram_verifier

# Of the example in RFC 7677, 3; any other text would do.
FIRST = (
    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)


def test_lets_in_whoever_knows_the_password() -> None:
    """The proof of a client that knows it leads to the stored key; another one's does not."""
    verifier = scram_verifier(SecretStr("pencil"))
    found = re.fullmatch(r"SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)", verifier)
    assert found is not None
    salt, stored, server = (base64.b64decode(part) for part in found.groups())

    assert proves("pencil", salt, stored)
    assert not proves("pencils", salt, stored)
    assert hmac.digest(salted("pencil", salt), b"Server Key", "sha256") == server
    assert 16 == len(salt)


def test_is_salted() -> None:
    """The same password is stored otherwise each time, and stands in none of them."""
    made = {scram_verifier(SecretStr("pencil")) for _ in range(3)}

    assert 3 == len(made)
    assert not any("pencil" in each for each in made)


def salted(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)


def proves(password: str, salt: bytes, stored: bytes) -> bool:
    """Do what client and server do: the proof is the client's key under the server's signature."""
    client = hmac.digest(salted(password, salt), b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client).digest(), FIRST.encode(), "sha256")
    proof = bytes(a ^ b for a, b in zip(client, signature, strict=True))
    checked = hmac.digest(stored, FIRST.encode(), "sha256")
    back = bytes(a ^ b for a, b in zip(proof, checked, strict=True))
    return hashlib.sha256(back).digest() == stored
