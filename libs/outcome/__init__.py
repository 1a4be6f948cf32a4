"""The one catalogue of answers; members stand in order of precedence (edc.md, Response codes)."""

from enum import Enum, unique
from typing import NamedTuple

from libs.outcome.fault import Fault

__all__ = ["Fault", "Outcome", "Spoken"]


class Spoken(NamedTuple):
    """One answer in each outside dialect, and what a person reads."""

    number: int  # Ours, unique and for ever: it stands in stored rows.
    de39: str
    snap_http: int
    snap_case: str
    text_id: str
    text_en: str


@unique
class Outcome(Enum):
    """What was decided."""

    # Step 1: at the edge, nothing is stored.
    FORMAT_ERROR = Spoken(
        100, "30", 400, "01",
        "Pesan dari terminal tidak lengkap; ulangi transaksi.",
        "The terminal's message is incomplete or malformed; try again.",
    )  # fmt: skip
    FUNCTION_UNSUPPORTED = Spoken(
        101, "12", 405, "00",
        "Jenis transaksi tidak dilayani; pilih yang lain.",
        "This kind of transaction is not served; choose another.",
    )  # fmt: skip
    AMOUNT_INVALID = Spoken(
        102, "13", 404, "13",
        "Jumlah tidak boleh nol; masukkan jumlahnya.",
        "The amount must not be zero; enter an amount.",
    )  # fmt: skip
    MAC_INVALID = Spoken(
        103, "63", 401, "00",
        "Kunci terminal tidak cocok; hubungi operator.",
        "The terminal's key does not fit; call the operator.",
    )  # fmt: skip
    TERMINAL_UNKNOWN = Spoken(
        104, "58", 404, "17",
        "Terminal tidak terdaftar; hubungi operator.",
        "This terminal is not registered; call the operator.",
    )  # fmt: skip
    # Step 2: the key, nothing is stored.
    DUPLICATE_REFERENCE = Spoken(
        200, "94", 409, "01",
        "Nomor transaksi sudah dipakai; ulangi dengan nomor baru.",
        "This transaction number was used for something else; use a new one.",
    )  # fmt: skip
    REVERSED = Spoken(
        201, "68", 504, "00",
        "Transaksi sudah dibatalkan; lakukan transaksi baru.",
        "The transaction was reversed; make a new one.",
    )  # fmt: skip
    DATE_OUT_OF_WINDOW = Spoken(
        202, "30", 400, "01",
        "Tanggal terminal salah; lakukan log-on lalu ulangi.",
        "The terminal's date is wrong; log on and try again.",
    )  # fmt: skip
    # Step 3: stored, every repeat hears it again.
    TERMINAL_REFUSED = Spoken(
        300, "58", 404, "17",
        "Terminal tidak boleh dipakai di sini; hubungi operator.",
        "This terminal may not be used here; call the operator.",
    )  # fmt: skip
    ACCEPTOR_UNKNOWN = Spoken(
        301, "03", 404, "08",
        "Gerai tidak dikenal atau ditutup; hubungi operator.",
        "The outlet is unknown or paused; call the operator.",
    )  # fmt: skip
    CARD_UNKNOWN = Spoken(
        302, "14", 404, "11",
        "Kartu tidak dikenal; pakai kartu lain.",
        "The card is not known; use another card.",
    )  # fmt: skip
    CARD_LOST = Spoken(
        303, "41", 403, "07",
        "Kartu dilaporkan hilang; tahan kartu dan hubungi operator.",
        "The card was reported lost; keep it and call the operator.",
    )  # fmt: skip
    CARD_STOLEN = Spoken(
        304, "43", 403, "07",
        "Kartu dilaporkan dicuri; tahan kartu dan hubungi operator.",
        "The card was reported stolen; keep it and call the operator.",
    )  # fmt: skip
    CARD_BLOCKED = Spoken(
        305, "62", 403, "07",
        "Kartu diblokir; hubungi penerbit kartu.",
        "The card is blocked; call the issuer.",
    )  # fmt: skip
    CARD_INACTIVE = Spoken(
        306, "62", 403, "18",
        "Kartu belum aktif; hubungi penerbit kartu.",
        "The card is not active; call the issuer.",
    )  # fmt: skip
    CARD_EXPIRED = Spoken(
        307, "54", 403, "08",
        "Masa berlaku kartu habis; minta kartu baru.",
        "The card has expired; ask for a new one.",
    )  # fmt: skip
    PIN_INVALID = Spoken(
        308, "55", 403, "15",
        "PIN salah atau belum dimasukkan; masukkan PIN.",
        "The PIN is wrong or missing; enter the PIN.",
    )  # fmt: skip
    PIN_TRIES_EXCEEDED = Spoken(
        309, "75", 403, "15",
        "PIN salah terlalu sering; hubungi operator.",
        "The PIN was wrong too often; call the operator.",
    )  # fmt: skip
    NOT_PERMITTED = Spoken(
        310, "57", 403, "15",
        "Kartu ini tidak boleh dipakai di sini; pakai kartu lain.",
        "This card may not be used here; use another card.",
    )  # fmt: skip
    AMOUNT_LIMIT = Spoken(
        311, "61", 403, "02",
        "Melebihi batas jumlah kartu; kurangi jumlahnya.",
        "Above the card's amount limit; lower the amount.",
    )  # fmt: skip
    COUNT_LIMIT = Spoken(
        312, "65", 403, "04",
        "Melebihi batas jumlah transaksi; coba lagi besok.",
        "Above the card's number of transactions; try again tomorrow.",
    )  # fmt: skip
    FUNDS_SHORT = Spoken(
        313, "51", 403, "14",
        "Saldo tidak cukup; kurangi jumlahnya atau isi ulang.",
        "Not enough money; lower the amount or top up.",
    )  # fmt: skip
    TOO_LATE = Spoken(
        314, "68", 504, "00",
        "Jawaban terlambat; ulangi dengan nomor baru.",
        "The answer came too late; try again as a new transaction.",
    )  # fmt: skip
    COULD_NOT_PROCESS = Spoken(
        315, "96", 500, "01",
        "Transaksi tidak dapat diproses; ulangi dengan nomor baru.",
        "The transaction could not be processed; try again as a new one.",
    )  # fmt: skip
    CEILING = Spoken(
        316, "61", 403, "02",
        "Melebihi saldo tertinggi dompet; kurangi jumlahnya.",
        "Above the wallet's highest balance; lower the amount.",
    )  # fmt: skip
    APPROVED = Spoken(1, "00", 200, "00", "Berhasil.", "Approved.")

    @property
    def number(self) -> int:
        """Our own number, as stored in rows and carried in records."""
        return self.value.number

    @property
    def de39(self) -> str:
        """The two characters of DE39."""
        return self.value.de39

    @classmethod
    def of(cls, number: int) -> "Outcome":
        """Return the member with this number; ``KeyError`` for one that does not exist."""
        return _BY_NUMBER[number]


_BY_NUMBER = {member.value.number: member for member in Outcome}
