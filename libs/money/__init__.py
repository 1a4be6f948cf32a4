"""Money as whole minor units (sen, 1/100 rupiah); no float and no decimal text may live here."""

from typing import NewType

Minor = NewType("Minor", int)

IDR = 360
"""ISO 4217 number of the rupiah; the only currency that the switch books."""


def rupiah(amount: int) -> str:
    """Write minor units as people in Indonesia read them: ``Rp 1.000.000,00``."""
    sign = "-" if amount < 0 else ""
    whole, sen = divmod(abs(amount), 100)
    return f"{sign}Rp {whole:,}".replace(",", ".") + f",{sen:02d}"
