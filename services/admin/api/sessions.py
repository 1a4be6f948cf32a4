"""Signing in and out over HTTP, and who one is."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.admin.api.actions import open_to_all, signed_in
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.registry import BODY
from services.admin.api.replies import refusal_reply
from services.admin.domain.password import LENGTH_MAX
from services.admin.domain.refusal import Refused

router = APIRouter()

# Whatever form it has, a wrong one hears the same.
AnyLogin = Annotated[str, Field(max_length=64)]
AnyPassword = Annotated[str, Field(max_length=2 * LENGTH_MAX, repr=False)]
AnyCode = Annotated[str, Field(max_length=16, repr=False)]


class Credentials(BaseModel):
    """What somebody signs in with."""

    model_config = BODY

    login: AnyLogin
    password: AnyPassword
    code: AnyCode = ""  # Of the second factor; empty where there is none.


@router.post("/v1/sessions", dependencies=[open_to_all()])
async def sign_in(request: Request, body: Credentials) -> JSONResponse:
    """Open a session. Its token is shown here and never again."""
    found = await desk_of(request).people.sign_in(
        body.login, body.password, body.code.replace(" ", "")
    )
    if isinstance(found, Refused):
        return refusal_reply(found)
    return JSONResponse(
        {
            "token": found.token,
            "expires_ms": found.expires_ms,
            "login": found.operator.login,
            "name": found.operator.name,
            "role": found.operator.role.name.lower(),
            "has_factor": found.has_factor,
        }
    )


@router.delete("/v1/sessions/current", dependencies=[signed_in()])
async def sign_out(request: Request, caller: Signed) -> JSONResponse:
    """End the session of this very request."""
    token = request.headers["authorization"].partition(" ")[2].strip()  # The edge found it so.
    await desk_of(request).people.sign_out(caller, token)
    return JSONResponse({})


@router.get("/v1/me", dependencies=[signed_in()])
async def show_me(caller: Signed) -> JSONResponse:
    """Show who one is and what for."""
    return JSONResponse(
        {
            "login": caller.login,
            "role": caller.role.name.lower(),
            "regions": sorted(caller.scope.regions),
            "groups": sorted(caller.scope.groups),
            "has_factor": caller.has_factor,
        }
    )
