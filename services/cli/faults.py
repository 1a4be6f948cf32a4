"""Trouble that the command itself finds, and how any trouble becomes one sentence."""

from collections.abc import Iterator

from pydantic import ValidationError

from libs.bus import LogReplaced, TopicUnknown
from libs.outcome import Fault


class CommandRefused(Fault):
    """What was asked cannot be done; the text says why and what helps."""


def sentence_of(problem: BaseException) -> str | None:
    """Return what a person should read; None: a mistake of ours that needs its traceback."""
    for found in _leaves(problem):
        if isinstance(found, Fault):
            return str(found) or type(found).__name__
        if isinstance(found, ValidationError):
            return _settings_sentence(found)
        if isinstance(found, OSError):
            where = f" ({found.filename})" if found.filename else ""
            return f"The machine refused: {found.strerror or found}{where}."
    return None


def passing_reason(problem: BaseException) -> str | None:
    """Return the sentence of trouble that may pass by itself; None when a person must act.

    A topic that is missing passes once somebody has run ``lesko topics apply``; a partition that
    is missing is a wrong setting. A topic that was made anew is read anew.
    """
    leaves = list(_leaves(problem))
    return str(leaves[0]) if all(map(_may_pass, leaves)) else None


def _may_pass(problem: BaseException) -> bool:
    if isinstance(problem, TopicUnknown):
        return problem.partition is None
    return isinstance(problem, Fault) and (problem.retriable or isinstance(problem, LogReplaced))


def _leaves(problem: BaseException) -> Iterator[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        for inner in problem.exceptions:
            yield from _leaves(inner)
    else:
        yield problem


def _settings_sentence(problem: ValidationError) -> str:
    """Name each variable and its complaint, never its value."""
    wrong = "; ".join(
        _complaint("__".join(str(part) for part in each["loc"]).upper(), each["msg"])
        for each in problem.errors(include_url=False, include_input=False, include_context=False)
    )
    return f"Settings are missing or wrong. {wrong}."


def _complaint(name: str, message: str) -> str:
    text = message.removeprefix("Value error, ")  # Ours, which may go on from the name.
    return f"LESKO_{name} {text}" if text.startswith("is ") else f"LESKO_{name}: {text}"
