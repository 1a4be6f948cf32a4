"""Trouble that the command itself finds, and how any trouble becomes one sentence."""

from collections.abc import Iterator

from pydantic import ValidationError

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


def _leaves(problem: BaseException) -> Iterator[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        for inner in problem.exceptions:
            yield from _leaves(inner)
    else:
        yield problem


def _settings_sentence(problem: ValidationError) -> str:
    """Name each variable and its complaint, never its value."""
    wrong = "; ".join(
        f"LESKO_{'__'.join(str(part) for part in each['loc']).upper()}: {each['msg']}"
        for each in problem.errors(include_url=False, include_input=False, include_context=False)
    )
    return f"Settings are missing or wrong. {wrong}."
