"""How a statement is worded for its reader in Indonesia."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from libs.contracts.transfers import TransferKind
from services.admin.domain.statement import Entry

_KINDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        TransferKind.PURCHASE: "Belanja",
        TransferKind.TOP_UP: "Isi ulang",
        TransferKind.FEE: "Biaya",
        TransferKind.REFUND: "Pengembalian dana",
        TransferKind.REVERSAL: "Pembatalan",
        TransferKind.HOLD: "Dana ditahan",
        TransferKind.COMPLETION: "Penyelesaian",
        TransferKind.VOID: "Dibatalkan kasir",
        TransferKind.DISBURSEMENT: "Penyaluran bantuan",
        TransferKind.SWEEP: "Pemindahan sisa dana",
        TransferKind.QUOTA: "Kuota",
        TransferKind.ADJUSTMENT: "Koreksi",
        TransferKind.OPENING: "Saldo pembukaan",
    }
)
_MONTHS: Final = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip


def kind_text(kind: int) -> str:
    """Name a kind of movement; one that is not known by its number."""
    return _KINDS.get(kind, f"Jenis {kind}")


def purse_text(purse: int, programme: int) -> str:
    """Name a purse: the own one, or that of a programme."""
    return "Sendiri" if purse == 0 else f"Program {programme:04d}"


def note_text(entry: Entry) -> str:
    """Return what people noted beside a movement, on one line; empty for none."""
    parts = (" ".join(entry.reason.split()), " ".join(entry.document.split()))
    return " / ".join(part for part in parts if part)


def day_text(day: date) -> str:
    """Write a date in full: 24 November 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def plain_amount(amount: int) -> str:
    """Write minor units for a sheet: whole rupiah, a comma, two digits of sen, no other mark."""
    whole, sen = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole},{sen:02d}"


def grouped_amount(amount: int) -> str:
    """Write minor units for people: 1.500.000,25."""
    whole, sen = divmod(abs(amount), 100)
    grouped = f"{whole:,}".replace(",", ".")
    return f"{'-' if amount < 0 else ''}{grouped},{sen:02d}"
