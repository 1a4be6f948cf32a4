"""The ledger's books: permission to recover them."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.replies import reply
from services.admin.domain.act import Act
from services.admin.handlers.recover_ledger import LEDGER, RECOVER

router = APIRouter(prefix="/v1/ledger")


class RecoveryBody(BaseModel):
    """Why the books must be recovered."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: str = Field(min_length=1, max_length=500)
    document: str = Field(default="", max_length=100)


@router.post("/recoveries", dependencies=[acts(RECOVER)])
async def propose_recovery(request: Request, caller: Signed, body: RecoveryBody) -> JSONResponse:
    """Propose that the books are recovered; ``lesko ledger recover`` asks for the number."""
    act = Act(RECOVER, LEDGER, {}, body.reason, body.document)
    return reply(await desk_of(request).perform(caller, act))
