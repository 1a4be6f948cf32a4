"""JSON as we take it: shallow, each key once, whole numbers, texts that a database can hold."""

import json
import re
from typing import Any, Final

DEPTH_MAX: Final = 16
INT_MAX: Final = 2**63 - 1

# Possessive, and matching also a text without its end: no body makes it go back over itself.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_OPENS: Final = (b"[", b"{")
_CLOSES: Final = (b"]", b"}")
PLAIN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""What every text must be, for the description of the API; see ``is_plain``."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIGITS_MAX: Final = 20


class NotOurJson(Exception):
    """What is wrong with a text; never what stands in it."""


def check_json(body: bytes) -> Any:
    """Return what a body holds; raises NotOurJson unless it is JSON as we take it."""
    if _depth(body) > DEPTH_MAX:
        raise NotOurJson(f"it is nested deeper than {DEPTH_MAX}")
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_each_once,
            parse_int=_int64,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
        )
    except ValueError:
        raise NotOurJson("it is not JSON in UTF-8") from None
    _check_texts(found)
    return found


def is_plain(text: str) -> bool:
    """Whether a text holds no control character but tab and new line, and nothing half."""
    return _CONTROL.search(text) is None


def _depth(body: bytes) -> int:
    """Return how deep brackets are nested, without building anything."""
    deepest = depth = 0
    for token in _TOKEN.findall(body):
        if token in _OPENS:
            depth += 1
            deepest = max(deepest, depth)
        elif token in _CLOSES:
            depth -= 1
    return deepest


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotOurJson("a key stands there twice")
    return found


def _int64(text: str) -> int:
    if len(text) > _DIGITS_MAX or not -INT_MAX <= int(text) <= INT_MAX:
        raise NotOurJson("a number is too large")
    return int(text)


def _no_fraction(_: str) -> Any:
    raise NotOurJson("a number is not whole")


def _check_texts(found: Any) -> None:
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if not is_plain(one):
                raise NotOurJson("a text holds a control character")
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.keys()
            waiting += one.values()
