"""/v1/terminals: the devices of outlets."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.registry import (
    BODY,
    Code,
    Name,
    PathCode,
    Why,
    content_of,
    perform,
    serve_reads,
    serve_steps,
)
from services.admin.domain.terminal import LISTENER


class NewTerminal(BaseModel):
    """A new terminal of an outlet."""

    model_config = BODY

    code: Code
    outlet: Code
    listener: Name = LISTENER
    may_omit_mac: bool = False  # Pilot only.
    reason: Why = ""


class TerminalChanges(BaseModel):
    """What changes of a terminal; what is left out stays."""

    model_config = BODY

    outlet: Code | None = None
    listener: Name | None = None
    may_omit_mac: bool | None = None
    reason: Why = ""


router = APIRouter()
serve_steps(router, "terminal", "/v1/terminals", "pause", "resume", "close")
serve_reads(router, "terminal", "/v1/terminals")


@router.post("/v1/terminals", dependencies=[acts("terminal.add")])
async def add(request: Request, caller: Signed, body: NewTerminal) -> JSONResponse:
    """Add a terminal."""
    content = content_of(body, "code")
    return await perform(
        request, caller, "terminal.add", f"terminal/{body.code}", content, body.reason
    )


@router.patch("/v1/terminals/{code}", dependencies=[acts("terminal.set")])
async def change(
    request: Request, caller: Signed, code: PathCode, body: TerminalChanges
) -> JSONResponse:
    """Change what is given of a terminal."""
    return await perform(
        request, caller, "terminal.set", f"terminal/{code}", content_of(body), body.reason
    )
