"""What may be said about an exception: where it was raised; its text may hold card data."""

from pathlib import PurePath
from typing import Final

_PARTS_SHOWN: Final = 3


def place_of(fault: BaseException) -> str:
    """Return file, line and function of the innermost frame; empty if it was never raised."""
    trace = fault.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    file = "/".join(PurePath(code.co_filename).parts[-_PARTS_SHOWN:])
    return f"{file}:{trace.tb_lineno} {code.co_name}"
