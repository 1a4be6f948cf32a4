"""/v1/programmes: where restricted money may go; changes wait for a second person."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.registry import (
    BODY,
    Groups,
    Name,
    PathCode,
    Why,
    content_of,
    perform,
    serve_reads,
    serve_steps,
)

_Number = Annotated[int, Field(ge=0, le=1_000_000)]
_Classes = Annotated[list[_Number], Field(max_length=1_000)]


class NewProgramme(BaseModel):
    """A new programme."""

    model_config = BODY

    number: _Number
    name: Name
    groups: Groups
    goods_classes: _Classes = []  # Empty: every class.
    reason: Why = ""


class ProgrammeChanges(BaseModel):
    """What changes of a programme; what is left out stays."""

    model_config = BODY

    name: Name | None = None
    groups: Groups | None = None
    goods_classes: _Classes | None = None
    reason: Why = ""


router = APIRouter()
serve_steps(router, "programme", "/v1/programmes", "pause", "resume", "close")
serve_reads(router, "programme", "/v1/programmes")


@router.post("/v1/programmes", dependencies=[acts("programme.add")])
async def add(request: Request, caller: Signed, body: NewProgramme) -> JSONResponse:
    """Propose a new programme."""
    content = content_of(body, "number")
    return await perform(
        request, caller, "programme.add", f"programme/{body.number}", content, body.reason
    )


@router.patch("/v1/programmes/{code}", dependencies=[acts("programme.set")])
async def change(
    request: Request, caller: Signed, code: PathCode, body: ProgrammeChanges
) -> JSONResponse:
    """Propose a change of what is given of a programme."""
    return await perform(
        request, caller, "programme.set", f"programme/{code}", content_of(body), body.reason
    )
