"""The audit over HTTP: its latest rows, and whether its chain is sound."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.admin.api.actions import acts
from services.admin.api.desk import desk_of
from services.admin.domain.audit import AuditHead

router = APIRouter()

_ROWS_MAX: Final = 500
_HEADS_MAX: Final = 1_000
_INT64_MAX: Final = 2**63 - 1
_Text = Annotated[str, Query(max_length=200)]


class _Head(BaseModel):
    """A head that was published outside of the database."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    no: int = Field(ge=0, le=_INT64_MAX)
    hash: str = Field(pattern="^[0-9a-f]{64}$")


class _Verify(BaseModel):
    """What to compare the chain with."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    published: list[_Head] = Field(default_factory=list, max_length=_HEADS_MAX)


@router.get("/v1/audit", dependencies=[acts("audit.list")])
async def list_audit(
    request: Request,
    entity: _Text = "",
    login: _Text = "",
    before: Annotated[int, Query(ge=0, le=_INT64_MAX)] = 0,
    rows_max: Annotated[int, Query(ge=1, le=_ROWS_MAX)] = 100,
) -> JSONResponse:
    """Show rows newest first, below a number; of one entity, of one login."""
    rows = await desk_of(request).audit(
        entity=entity, login=login, before=before, rows_max=rows_max
    )
    return JSONResponse({"rows": [row._asdict() for row in rows]})


@router.post("/v1/audit/verify", dependencies=[acts("audit.verify")])
async def verify_audit(request: Request, body: _Verify) -> JSONResponse:
    """Walk the chain from its first row and compare it with heads from outside."""
    heads = [AuditHead(one.no, bytes.fromhex(one.hash)) for one in body.published]
    report = await desk_of(request).verify_audit(heads)
    broken = report.broken
    return JSONResponse(
        {
            "clean": broken is None,
            "rows": report.sound.no,
            "head": {"no": report.sound.no, "hash": report.sound.hash.hex()},
            "broken": None if broken is None else broken._asdict(),
            "compared": report.compared,
        }
    )
