"""Key files: one clear sentence for each thing that can be wrong with one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from libs.iso8583 import Pan
from libs.vault import (
    TokenKey,
    Vault,
    VaultFault,
    generate_demo_keys,
    read_token_key,
    read_vault,
)

HEX = bytes(range(32)).hex()
PAN = Pan("9360099900000016")


def a_key_file(path: Path, text: str = HEX + "\n", mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


class TestReadTokenKey:
    def test_reads_hexadecimal_digits(self, tmp_path: Path) -> None:
        """The key is what the digits say, whatever white space surrounds them."""
        a_key_file(tmp_path / "token.key", f"  {HEX.upper()}\r\n")

        assert TokenKey(bytes(range(32))).token(PAN) == read_token_key(tmp_path).token(PAN)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "too short: 64 hexadecimal digits are needed, 0 are there"),
            (HEX[:-2], "too short: 64 hexadecimal digits are needed, 62 are there"),
            (HEX + "00", "too long: 64 hexadecimal digits are needed, 66 are there"),
            (HEX[:-1], "something other than hexadecimal digits"),
            ("z" * 64, "something other than hexadecimal digits"),
            ("é" * 64, "something other than hexadecimal digits"),
        ],
    )
    def test_names_what_is_wrong_with_the_text(
        self, tmp_path: Path, text: str, sentence: str
    ) -> None:
        """The sentence names the file and the trouble, and nothing of what it holds."""
        path = a_key_file(tmp_path / "token.key", text)

        with pytest.raises(VaultFault) as raised:
            read_token_key(tmp_path)

        assert sentence in str(raised.value)
        assert str(path) in str(raised.value)
        assert HEX[:16] not in str(raised.value)

    def test_says_that_a_file_is_missing(self, tmp_path: Path) -> None:
        """A missing key comes with what to do about it."""
        with pytest.raises(VaultFault, match=r"token\.key is missing: put the key there"):
            read_token_key(tmp_path)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
    def test_refuses_a_file_that_others_may_touch(self, tmp_path: Path, mode: int) -> None:
        """A key that other users may read or write is not used; the sentence has the remedy."""
        a_key_file(tmp_path / "token.key", mode=mode)

        with pytest.raises(VaultFault, match="chmod 600"):
            read_token_key(tmp_path)

    def test_says_that_a_file_cannot_be_read(self, tmp_path: Path) -> None:
        """What is no file is named with the system's reason."""
        (tmp_path / "token.key").mkdir(mode=0o700)

        with pytest.raises(VaultFault, match="cannot be read"):
            read_token_key(tmp_path)

    def test_keeps_the_cause_out(self, tmp_path: Path) -> None:
        """The fault has no cause whose text could hold the content."""
        a_key_file(tmp_path / "token.key", HEX[:-1] + "z")

        with pytest.raises(VaultFault) as raised:
            read_token_key(tmp_path)

        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__


class TestReadVault:
    def test_reads_every_key(self, tmp_path: Path) -> None:
        """Each file is the key of the id in its name."""
        a_key_file(tmp_path / "vault-1.key")
        a_key_file(tmp_path / "vault-7.key", "ff" * 32)
        sealed = Vault({7: b"\xff" * 32}).seal(PAN, token=b"t" * 16)

        vault = read_vault(tmp_path)

        assert "Vault(keys 1, 7: ***)" == repr(vault)
        assert PAN == vault.open_(sealed, token=b"t" * 16)

    @pytest.mark.parametrize("name", ["vault-0.key", "vault-256.key", "vault-a.key", "vault-.key"])
    def test_refuses_an_id_that_no_byte_holds(self, tmp_path: Path, name: str) -> None:
        """The id must fit the first byte of what is sealed."""
        a_key_file(tmp_path / name)

        with pytest.raises(VaultFault, match="N from 1 to 255"):
            read_vault(tmp_path)

    def test_says_that_there_is_none(self, tmp_path: Path) -> None:
        """An empty directory is named with what is expected in it."""
        with pytest.raises(VaultFault, match=r"expected vault-1\.key"):
            read_vault(tmp_path)


class TestGenerateDemoKeys:
    def test_writes_keys_that_can_be_read(self, tmp_path: Path) -> None:
        """The first run makes a directory with a token key and a vault key."""
        directory = tmp_path / "var" / "keys"

        written = generate_demo_keys(directory)

        assert ["token.key", "vault-1.key"] == [path.name for path in written]
        assert 0o700 == directory.stat().st_mode & 0o777
        assert {0o600} == {path.stat().st_mode & 0o777 for path in written}
        vault = read_vault(directory)
        token = read_token_key(directory).token(PAN)
        assert PAN == vault.open_(vault.seal(PAN, token=token), token=token)

    def test_never_overwrites(self, tmp_path: Path) -> None:
        """A second run writes nothing and changes nothing."""
        first = {path: path.read_bytes() for path in generate_demo_keys(tmp_path)}

        assert () == generate_demo_keys(tmp_path)
        assert first == {path: path.read_bytes() for path in tmp_path.iterdir()}

    def test_makes_no_first_vault_key_after_a_rotation(self, tmp_path: Path) -> None:
        """Where an old key was retired it does not come back as another one."""
        a_key_file(tmp_path / "vault-2.key")

        assert (tmp_path / "token.key",) == generate_demo_keys(tmp_path)

    def test_makes_one_key_when_many_start_at_once(self, tmp_path: Path) -> None:
        """Of processes that start together exactly one writes each key, whole."""
        with ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda _: generate_demo_keys(tmp_path), range(8)))

        assert 2 == sum(map(len, runs))
        assert {"token.key", "vault-1.key"} == {path.name for path in tmp_path.iterdir()}
        read_token_key(tmp_path)
