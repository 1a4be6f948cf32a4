"""What a repeat must carry again to be the same message (edc.md, Keys)."""

from typing import NamedTuple


class Content(NamedTuple):
    """Card, DE3, DE4, DE42, and DE37 where the terminal sent one."""

    card_token: bytes
    processing_code: str
    amount_minor: int
    outlet: str
    rrn_sent: str


def is_same_content(first: Content, second: Content) -> bool:
    """Tell whether two messages under one key ask for the same; DE37 counts where both sent it."""
    if first[:4] != second[:4]:
        return False
    return not first.rrn_sent or not second.rrn_sent or first.rrn_sent == second.rrn_sent
