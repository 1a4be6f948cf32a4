"""/v1/groups: sets of outlets that rules and scopes name."""

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


class NewGroup(BaseModel):
    """A new outlet group."""

    model_config = BODY

    code: Code
    name: Name
    reason: Why = ""


class GroupChanges(BaseModel):
    """What changes of a group; what is left out stays."""

    model_config = BODY

    name: Name | None = None
    reason: Why = ""


router = APIRouter()
serve_steps(router, "group", "/v1/groups", "close")
serve_reads(router, "group", "/v1/groups")


@router.post("/v1/groups", dependencies=[acts("group.add")])
async def add(request: Request, caller: Signed, body: NewGroup) -> JSONResponse:
    """Add an outlet group."""
    content = content_of(body, "code")
    return await perform(request, caller, "group.add", f"group/{body.code}", content, body.reason)


@router.patch("/v1/groups/{code}", dependencies=[acts("group.set")])
async def change(
    request: Request, caller: Signed, code: PathCode, body: GroupChanges
) -> JSONResponse:
    """Change the name of an outlet group."""
    return await perform(
        request, caller, "group.set", f"group/{code}", content_of(body), body.reason
    )
