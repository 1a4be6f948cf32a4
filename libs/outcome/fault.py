"""The base of every exception that is trouble, not an answer."""

from typing import ClassVar


class Fault(Exception):
    """Something outside the rules of the trade failed; the batch it hit changed nothing we know of.

    The text is for operators and never holds card data.
    """

    retriable: ClassVar[bool] = False
