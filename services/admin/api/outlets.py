"""/v1/outlets: shops, one by one and from a file."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.registry import (
    BODY,
    Code,
    Groups,
    Name,
    PathCode,
    Why,
    content_of,
    perform,
    serve_reads,
    serve_steps,
)
from services.admin.api.replies import refusal_reply
from services.admin.domain.outlet_rows import OutletRow
from services.admin.domain.refusal import Refused
from services.admin.domain.terminal import LISTENER
from services.admin.handlers.import_outlets import Imported, OutletFile, Problems

ROWS_MAX: Final = 20_000
_FILE_BYTES_MAX: Final = 16 << 20
_FILE_MS_MAX: Final = 60_000

_Cell = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class NewOutlet(BaseModel):
    """A new outlet."""

    model_config = BODY

    code: Code
    name: Name
    region: Name = ""
    groups: Groups = []
    reason: Why = ""


class OutletChanges(BaseModel):
    """What changes of an outlet; what is left out stays."""

    model_config = BODY

    name: Name | None = None
    region: Name | None = None
    groups: Groups | None = None
    reason: Why = ""


class Row(BaseModel):
    """A row of a file; whatever it holds, the answer names row and column."""

    model_config = BODY

    row: Annotated[int, Field(ge=1, le=10_000_000)]
    code: _Cell
    name: _Cell
    region: _Cell = ""
    groups: Annotated[list[_Cell], Field(max_length=100)] = []
    terminal: _Cell = ""
    listener: _Cell = LISTENER


class Rows(BaseModel):
    """A whole file."""

    model_config = BODY

    rows: Annotated[list[Row], Field(max_length=ROWS_MAX)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    may_omit_mac: bool = False
    is_check: bool = False  # Nothing is written; the answer lists what is wrong.


router = APIRouter()
serve_steps(router, "outlet", "/v1/outlets", "pause", "resume", "close")
serve_reads(router, "outlet", "/v1/outlets")


@router.post("/v1/outlets", dependencies=[acts("outlet.add")])
async def add(request: Request, caller: Signed, body: NewOutlet) -> JSONResponse:
    """Add an outlet."""
    content = content_of(body, "code")
    return await perform(request, caller, "outlet.add", f"outlet/{body.code}", content, body.reason)


@router.patch("/v1/outlets/{code}", dependencies=[acts("outlet.set")])
async def change(
    request: Request, caller: Signed, code: PathCode, body: OutletChanges
) -> JSONResponse:
    """Change what is given of an outlet."""
    return await perform(
        request, caller, "outlet.set", f"outlet/{code}", content_of(body), body.reason
    )


@router.post(
    "/v1/outlets/import",
    dependencies=[
        acts("outlet.import", body_bytes_max=_FILE_BYTES_MAX, receive_ms_max=_FILE_MS_MAX)
    ],
)
async def take_file(request: Request, caller: Signed, body: Rows) -> JSONResponse:
    """Take over a whole file, or nothing of it: then the answer lists what is wrong."""
    rows = [OutletRow(**{**row.model_dump(), "groups": tuple(row.groups)}) for row in body.rows]
    file = OutletFile(rows, body.sha256, body.may_omit_mac, body.is_check)
    match await desk_of(request).import_outlets(caller, file):
        case Refused() as refused:
            return refusal_reply(refused)
        case Imported(outlets, terminals):
            return JSONResponse({"is_imported": True, "outlets": outlets, "terminals": terminals})
        case Problems(first, total):
            problems = [problem._asdict() for problem in first]
            return JSONResponse({"is_imported": False, "problems": problems, "count": total})
