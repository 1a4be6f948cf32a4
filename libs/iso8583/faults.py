"""The faults of this library; none of them may hold bytes of a message or card data."""

from libs.outcome import Fault


class DialectBroken(Fault):
    """A dialect's files contradict themselves; one sentence names file, place and trouble."""


class _Labelled(Fault):
    """A fault that is only a label and a field number, so that logging it shows nothing secret."""

    def __init__(self, reason: str, field: int = 0) -> None:
        super().__init__(f"{reason} (DE{field})" if field else reason)
        self.reason = reason
        self.field = field


class DecodeFault(_Labelled):
    """A message that nobody can answer: it is counted under ``reason`` and dropped."""


class EncodeFault(_Labelled):
    """A value of ours does not fit its field: a mistake in the program, not in a message."""
