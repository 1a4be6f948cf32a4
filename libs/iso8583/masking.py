"""How values that nobody may read are shown; nothing here keeps or returns them in clear."""

HIDDEN = "***"

_HEAD = 6
_TAIL = 4


def mask_pan(digits: str) -> str:
    """Show the first six and last four digits; of a number that is too short for it, nothing."""
    hidden = len(digits) - _HEAD - _TAIL
    if hidden < 1:
        return HIDDEN
    return f"{digits[:_HEAD]}{'*' * hidden}{digits[-_TAIL:]}"


def mask_track(track: str) -> str:
    """Show the masked card number of a track 2 and nothing of what follows it."""
    return f"{mask_pan(track.partition('D')[0])}D{HIDDEN}"
