"""The verified operator behind a request; without one nothing is served."""

from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import Headers

from services.admin.api.replies import RefusedRequest
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.ports import Callers

_SCHEME: Final = "bearer"
_TOKEN_MAX: Final = 512


async def find_caller(callers: Callers, headers: Headers) -> Caller:
    """Return who is behind the bearer token of these headers. Raises RefusedRequest."""
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    token = token.strip()
    if scheme.lower() != _SCHEME or not token or len(token) > _TOKEN_MAX or not token.isascii():
        raise RefusedRequest(Refused(Refusal.NOT_SIGNED_IN))
    caller = await callers.find(token)
    if caller is None:
        raise RefusedRequest(Refused(Refusal.NOT_SIGNED_IN))
    return caller


async def _caller(request: Request) -> Caller:
    """Return whom the edge found for this very request."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise RefusedRequest(Refused(Refusal.NOT_SIGNED_IN))
    return caller


Signed = Annotated[Caller, Depends(_caller)]
"""The operator of a request, from the bearer token that was looked up for this very request."""
