"""Proposals over HTTP: what waits for a second person, and that person's word."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.replies import refusal_reply, reply
from services.admin.api.texts import Text
from services.admin.domain.act import Json
from services.admin.domain.proposal import Proposal
from services.admin.domain.refusal import Refusal, Refused

router = APIRouter()

_ROWS_MAX: Final = 200
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class _Agreed(BaseModel):
    """What the checker has read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    hash: str = Field(pattern="^[0-9a-f]{64}$")


class _Rejected(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: Text = Field(min_length=1, max_length=500)


@router.get("/v1/proposals", dependencies=[acts("approval.list")])
async def list_proposals(
    request: Request,
    is_open: Annotated[bool, Query(alias="open")] = False,  # noqa: FBT002 -- FastAPI's form
    rows_max: Annotated[int, Query(ge=1, le=_ROWS_MAX)] = 50,
) -> JSONResponse:
    """Show the latest proposals, newest first; with ``open`` only those that wait."""
    found = await desk_of(request).proposals.latest(is_open=is_open, rows_max=rows_max)
    return JSONResponse({"proposals": [_outline(one) for one in found]})


@router.get("/v1/proposals/{number}", dependencies=[acts("approval.list")])
async def show_proposal(request: Request, number: Number) -> JSONResponse:
    """Show a proposal with all of its content, and the hash to agree to."""
    found = await desk_of(request).proposals.one(number)
    if found is None:
        return refusal_reply(Refused(Refusal.UNKNOWN))
    return JSONResponse(
        {
            **_outline(found),
            "content": dict(found.act.content),
            "version": found.version,
            "hash": found.hash.hex(),
        }
    )


@router.post("/v1/proposals/{number}/approve", dependencies=[acts("approval.approve")])
async def approve_proposal(
    request: Request, caller: Signed, number: Number, body: _Agreed
) -> JSONResponse:
    """Do what was proposed; the answer is the one that its maker would have heard."""
    agreed = bytes.fromhex(body.hash)
    return reply(await desk_of(request).decide.approve(caller, number, agreed=agreed))


@router.post("/v1/proposals/{number}/reject", dependencies=[acts("approval.reject")])
async def reject_proposal(
    request: Request, caller: Signed, number: Number, body: _Rejected
) -> JSONResponse:
    """Close a proposal; the reason stays with it."""
    return reply(await desk_of(request).decide.reject(caller, number, reason=body.reason))


def _outline(one: Proposal) -> dict[str, Json]:
    return {
        "number": one.number,
        "action": one.act.action,
        "entity": one.act.entity,
        "reason": one.act.reason,
        "document": one.act.document,
        "state": one.state.name.lower(),
        "maker": one.maker_login,
        "made_ms": one.made_ms,
        "checker": one.checker_login,
        "decided_ms": one.decided_ms,
        "decision": one.decision,
    }
