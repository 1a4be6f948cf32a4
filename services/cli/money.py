"""Read amounts as people write them on a command line; exact, never float."""

import re

from libs.money import Minor
from services.cli.faults import CommandRefused

_AMOUNT = re.compile(r"(?P<whole>\d{1,10})(?:\.(?P<sen>\d{1,2}))?")


def parse_rupiah(text: str) -> Minor:
    """Read ``50000`` or ``50000.25`` rupiah as minor units; raises CommandRefused."""
    found = _AMOUNT.fullmatch(text.replace("_", ""))
    if found is None:
        sentence = "An amount is rupiah in digits, with at most two decimals: 50000 or 50000.25."
        raise CommandRefused(sentence)
    return Minor(int(found["whole"]) * 100 + int((found["sen"] or "").ljust(2, "0")))
