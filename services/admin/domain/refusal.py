"""Why an operator's request is not done: one sentence for the person, in both languages."""

from enum import Enum, unique
from typing import NamedTuple


class Words(NamedTuple):
    """What a refusal is on HTTP and for people."""

    status: int
    text_id: str
    text_en: str


@unique
class Refusal(Enum):
    """A request that was understood and is not done; the name is its code on the wire."""

    NOT_SIGNED_IN = Words(
        401,
        "Sesi tidak berlaku; masuk dahulu dengan `lesko sign-in`.",
        "The session is not valid; sign in first with `lesko sign-in`.",
    )
    SIGN_IN_FAILED = Words(
        401,
        "Nama, kata sandi, atau kode salah, atau akun terkunci; coba lagi nanti.",
        "Login, password or code is wrong, or the account is locked; try again later.",
    )
    CODE_NEEDED = Words(
        403,
        "Penyetuju wajib memakai kode kedua; daftarkan dengan `lesko operator enrol`.",
        "Approvers need a second factor; enrol it with `lesko operator enrol`.",
    )
    NOT_YOUR_ROLE = Words(
        403,
        "Peran Anda tidak boleh melakukan ini; minta rekan yang berwenang.",
        "Your role may not do this; ask a colleague whose role may.",
    )
    NOT_YOUR_SCOPE = Words(
        403,
        "Ini di luar wilayah atau kelompok gerai Anda; minta rekan yang berwenang.",
        "This is outside of your region or outlet group; ask a colleague of that scope.",
    )
    MAKER_IS_CHECKER = Words(
        403,
        "Pembuat tidak boleh menyetujui usulannya sendiri; minta orang lain.",
        "Who proposed it may not approve it; ask somebody else.",
    )
    UNKNOWN = Words(
        404,
        "Tidak ditemukan; periksa kode atau nomornya.",
        "There is no such thing; check the code or number.",
    )
    EXISTS = Words(
        409,
        "Sudah ada; ubah dengan perintah `set`.",
        "It exists already; change it with `set`.",
    )
    WRONG_STATE = Words(
        409,
        "Keadaannya sekarang tidak memungkinkan; lihat dengan `show`.",
        "Its present state does not allow this; look at it with `show`.",
    )
    DECIDED = Words(
        409,
        "Usulan ini sudah diputuskan; lihat dengan `lesko approval list`.",
        "This proposal has been decided; see `lesko approval list`.",
    )
    CHANGED_MEANWHILE = Words(
        409,
        "Isinya berubah sejak diusulkan; usulan batal, buat yang baru.",
        "It changed since it was proposed; the proposal is void, make a new one.",
    )
    MAKER_MAY_NOT = Words(
        409,
        "Pengusul tidak lagi berwenang; usulan batal, minta orang lain mengusulkan lagi.",
        "Who proposed it may not do so any more; it is void, let somebody else propose it.",
    )
    NOT_ALLOWED = Words(
        422,
        "Isi permintaan tidak dapat diterima; periksa nilainya.",
        "The content of the request cannot be accepted; check its values.",
    )
    REASON_NEEDED = Words(
        422,
        "Alasan wajib diisi dengan `--reason`.",
        "A reason is needed; give it with `--reason`.",
    )


class Refused(NamedTuple):
    """A refusal, and where it helps one more sentence on what exactly (English, no secrets)."""

    why: Refusal
    detail: str = ""
