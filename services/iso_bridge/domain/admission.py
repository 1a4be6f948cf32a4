"""Step 1 of the answers: what the edge refuses by itself, in order of precedence (edc.md)."""

from libs.outcome import Outcome
from libs.registry import Terminal


def refuse_form(
    found: Outcome | None, terminal: Terminal | None, *, has_day: bool, has_two_macs: bool
) -> Outcome | None:
    """Return what the form alone refuses; ``found`` is what the dialect's table says.

    A day that does not exist, and two MACs of a terminal that has a key, are format errors, and
    a format error comes before everything else.
    """
    if not has_day:
        return Outcome.FORMAT_ERROR
    if has_two_macs and terminal is not None and terminal.has_mac_key:
        return Outcome.FORMAT_ERROR
    return found


def refuse_terminal(terminal: Terminal | None) -> Outcome | None:
    """Return why a terminal may not speak at all; its status is authorization's business.

    A MAC cannot be verified yet, so a terminal with a key is refused, whatever it sent.
    """
    if terminal is None:
        return Outcome.TERMINAL_UNKNOWN
    if terminal.has_mac_key:
        return Outcome.MAC_INVALID
    if not terminal.may_omit_mac:
        return Outcome.TERMINAL_UNKNOWN
    return None


def refuse_new_key(*, day_is_open: bool, is_signed_on: bool) -> Outcome | None:
    """Return what a purchase hears whose key is not known; repeats hear their first answer."""
    if not day_is_open:
        return Outcome.DATE_OUT_OF_WINDOW
    if not is_signed_on:
        return Outcome.TERMINAL_REFUSED
    return None
