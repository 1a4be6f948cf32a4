"""/v1/commands: what became of what was asked of other services."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.replies import refusal_reply
from services.admin.domain.refusal import Refused
from services.admin.handlers.read_commands import SHOW, WAIT_MS_MAX

HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

router = APIRouter()


@router.get("/v1/commands/{command}", dependencies=[acts(SHOW)])
async def show(
    request: Request,
    caller: Signed,
    command: HexId,
    wait_ms: Annotated[int, Query(ge=0, le=WAIT_MS_MAX)] = 0,
) -> JSONResponse:
    """Show a command; with ``wait_ms`` once its answer has come, at the latest after that."""
    read = desk_of(request).commands
    found = await read(caller, bytes.fromhex(command), wait_ms=wait_ms)
    return refusal_reply(found) if isinstance(found, Refused) else JSONResponse(dict(found))
