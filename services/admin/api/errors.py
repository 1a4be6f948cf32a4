"""Everything that goes wrong becomes one shape here; nothing of our insides goes out."""

import re
from collections.abc import Mapping
from typing import Any, Final

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from libs.outcome import Fault
from services.admin.api.problems import Problem, ProblemRequest, problem_reply
from services.admin.api.replies import RefusedRequest, refusal_reply

_FIELDS_SHOWN: Final = 5
_FIELD: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_CLOSES: Final = frozenset({Problem.TOO_SLOW, Problem.TOO_LARGE})


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedRequest)
    return refusal_reply(error.refused)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemRequest)
    answer = problem_reply(error.problem, {"detail": error.detail})
    if error.problem in _CLOSES:
        answer.headers["connection"] = "close"  # The rest of it is not waited for.
    return answer


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Name fields and what is wrong with them, never their values."""
    assert isinstance(error, RequestValidationError)
    fields = [f"{_field(one['loc'])}: {one['type']}" for one in error.errors()[:_FIELDS_SHOWN]]
    return problem_reply(Problem.INVALID, {"fields": list(fields)})


async def _http(_: Request, error: Exception) -> JSONResponse:
    """Say in our shape what the framework itself refuses."""
    assert isinstance(error, HTTPException)
    problems = {404: Problem.NO_ROUTE, 405: Problem.WRONG_METHOD, 413: Problem.TOO_LARGE}
    return problem_reply(problems.get(error.status_code, Problem.MALFORMED))


async def _fault(request: Request, error: Exception) -> JSONResponse:
    """Say that a part is away and nothing is known to be done; the rest is a mistake of ours."""
    assert isinstance(error, Fault)
    if not error.retriable:
        return await _mistake(request, error)
    log = structlog.get_logger("admin.api")
    log.warning("request_failed", fault=type(error).__name__)
    return problem_reply(Problem.UNAVAILABLE)


async def _mistake(_: Request, error: Exception) -> JSONResponse:
    """Its class and place go to the log, not its text: that may hold what was sent."""
    log = structlog.get_logger("admin.api")
    log.error("request_broke", fault=type(error).__name__, at=_place(error))
    return problem_reply(Problem.MISTAKE)


HANDLERS: Final[Mapping[Any, ExceptionHandler]] = {
    RefusedRequest: _refused,
    ProblemRequest: _problem,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Fault: _fault,
}
LAST_RESORT: Final[Mapping[Any, ExceptionHandler]] = {**HANDLERS, Exception: _mistake}


def _field(path: tuple[str | int, ...]) -> str:
    """Return where in a request; a name that is not ours may hold anything and is not repeated."""
    return ".".join(str(part) if _FIELD.fullmatch(str(part)) else "?" for part in path)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
