"""Files of any size at rest: compressed, then AES-256-GCM in chunks; a cut one does not open."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from os import fsync, urandom
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from zlib import compressobj, decompressobj
from zlib import error as ZlibError  # noqa: N812 -- the class is named like a variable there

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.vault.vault import KEY_BYTES, SealBroken

CHUNK_BYTES: Final = 1 << 20
_MAGIC: Final = b"LESKOSF1"
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_COUNTER_BYTES: Final = 11
_PIECE_BYTES_MAX: Final = 4 << 20  # Zeros shrink a thousandfold.
_LEVEL: Final = 1  # Pages of a database shrink by half at once; more costs time and gains little.
_KEY_ID_BYTES: Final = 8


class BackupKey:
    """Seals files; its ``id`` tells which key a file needs and gives nothing of it away."""

    __slots__ = ("_key", "id")

    def __init__(self, key: bytes) -> None:
        """Take 32 bytes."""
        self._key = key
        self.id = self._derive(b"", b"lesko backup key id")[:_KEY_ID_BYTES].hex()

    def cipher(self, salt: bytes, name: str) -> AESGCM:
        """Return the cipher of one file: its name is part of its key."""
        return AESGCM(self._derive(salt, b"lesko sealed file " + name.encode()))

    def mac(self, text: bytes) -> str:
        """Return a code that only a holder of the key can make."""
        code = HMAC(self._derive(b"", b"lesko backup manifest"), hashes.SHA256())
        code.update(text)
        return code.finalize().hex()

    def _derive(self, salt: bytes, what: bytes) -> bytes:
        return HKDF(hashes.SHA256(), KEY_BYTES, salt, what).derive(self._key)

    def __repr__(self) -> str:
        return f"BackupKey({self.id}: ***)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


class Sealed(NamedTuple):
    """What was written."""

    size: int  # Of the sealed file, bytes.
    sha256: str  # Of the sealed file.
    plain_size: int
    plain_sha256: str


def seal_file(path: Path, key: BackupKey, name: str, pieces: Iterable[bytes]) -> Sealed:
    """Write ``pieces``, one after the other, sealed under this name; the file must not exist yet.

    It is synced before this returns. What fails on the way leaves an unfinished file, which does
    not open. Raises FileExistsError and OSError.
    """
    with path.open("xb") as file:
        writer = _Writer(file, key, name)
        for piece in pieces:
            writer.write(piece)
        sealed = writer.finish()
        file.flush()
        fsync(file.fileno())
    return sealed


def open_sealed(path: Path, key: BackupKey, name: str) -> Iterator[bytes]:
    """Yield what was sealed under this name, in order.

    Raises SealBroken at the first chunk that is not as it was written, and for a file that ends
    too early: what was yielded until then is authentic but may be only its beginning.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise SealBroken(f"{path.name} is no sealed file")
        cipher = key.cipher(file.read(_SALT_BYTES), name)
        inflate = decompressobj()
        number = 0
        chunk = file.read(CHUNK_BYTES + _TAG_BYTES)
        while True:
            ahead = file.read(CHUNK_BYTES + _TAG_BYTES)
            try:
                plain = cipher.decrypt(_nonce(number, is_last=not ahead), chunk, None)
                while piece := inflate.decompress(plain, _PIECE_BYTES_MAX):
                    yield piece
                    plain = inflate.unconsumed_tail
            except (InvalidTag, ZlibError):
                raise SealBroken(
                    f"{path.name} does not open with backup key {key.id}:"
                    " another key, or it was cut or changed"
                ) from None
            if not ahead:
                break
            chunk, number = ahead, number + 1
        if rest := inflate.flush():
            yield rest


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as it lies there."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


class _Writer:
    """Compresses, cuts into chunks, seals; the last chunk is marked as such."""

    def __init__(self, file: BinaryIO, key: BackupKey, name: str) -> None:
        salt = urandom(_SALT_BYTES)
        self._file = file
        self._cipher = key.cipher(salt, name)
        self._deflate = compressobj(_LEVEL)
        self._waiting = bytearray()
        self._number = 0
        self._size = 0
        self._digest = sha256()
        self._plain_size = 0
        self._plain_digest = sha256()
        self._put(_MAGIC + salt)

    def write(self, piece: bytes) -> None:
        self._plain_size += len(piece)
        self._plain_digest.update(piece)
        self._waiting += self._deflate.compress(piece)
        while len(self._waiting) > CHUNK_BYTES:  # The last chunk is sealed as the last.
            self._seal(CHUNK_BYTES, is_last=False)

    def finish(self) -> Sealed:
        self._waiting += self._deflate.flush()
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(CHUNK_BYTES, is_last=False)
        self._seal(len(self._waiting), is_last=True)
        return Sealed(
            self._size, self._digest.hexdigest(), self._plain_size, self._plain_digest.hexdigest()
        )

    def _seal(self, size: int, *, is_last: bool) -> None:
        plain = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._put(self._cipher.encrypt(_nonce(self._number, is_last=is_last), plain, None))
        self._number += 1

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)
        self._digest.update(data)


def _nonce(number: int, *, is_last: bool) -> bytes:
    """Count: the key is of this one file, so no nonce comes twice under it."""
    return number.to_bytes(_COUNTER_BYTES, "big") + bytes((is_last,))
