"""What the routes of all kinds of registry entries have in common: forms of values, and steps."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.replies import refusal_reply, reply
from services.admin.domain.act import Act, Json
from services.admin.domain.refusal import Refused
from services.admin.domain.role import Caller
from services.admin.handlers.read_registry import SHOW, Page

BODY: Final = ConfigDict(extra="forbid", strict=True, frozen=True)
ROWS_MAX: Final = 1_000

_PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"  # What is right is said in the domain; this is what fits.
_KEY: Final = r"^[!-.0-~]+$"

Code = Annotated[str, Field(min_length=1, max_length=40, pattern=_KEY)]
Name = Annotated[str, Field(max_length=200, pattern=_PLAIN)]
Groups = Annotated[list[Annotated[str, Field(max_length=40, pattern=_PLAIN)]], Field(max_length=50)]
Why = Annotated[str, Field(max_length=500, pattern=_PLAIN)]
PathCode = Annotated[str, Path(min_length=1, max_length=40, pattern=_KEY)]
After = Annotated[str, Query(max_length=40, pattern=r"^[!-.0-~]*$")]
RowsMax = Annotated[int, Query(ge=1, le=ROWS_MAX)]

Step = Callable[..., Awaitable[JSONResponse]]


class Reason(BaseModel):
    """Why a step is made; it stands in the audit."""

    model_config = BODY

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=_PLAIN)]


def content_of(body: BaseModel, *without: str) -> dict[str, Json]:
    """Return what a body says, without what it leaves out and without these fields."""
    return body.model_dump(exclude={"reason", *without}, exclude_none=True)


async def perform(
    request: Request, caller: Caller, action: str, entity: str, content: Any, reason: str = ""
) -> JSONResponse:
    """Do an act on an entry and answer."""
    act = Act(action, entity, content, reason)
    return reply(await desk_of(request).perform(caller, act))


def serve_reads(router: APIRouter, kind: str, path: str) -> None:
    """Serve one entry by its code, and all of them in pages."""

    async def show_one(request: Request, caller: Signed, code: PathCode) -> JSONResponse:
        found = await desk_of(request).registry.one(caller, kind, code)
        if isinstance(found, Refused):
            return refusal_reply(found)
        return JSONResponse(dict(found.fields))

    async def show_page(
        request: Request, caller: Signed, after: After = "", rows_max: RowsMax = 100
    ) -> JSONResponse:
        page = await desk_of(request).registry.page(caller, kind, after=after, rows_max=rows_max)
        if isinstance(page, Refused):
            return refusal_reply(page)
        return JSONResponse(_page(page))

    for route, serve in ((path, show_page), (f"{path}/{{code}}", show_one)):
        router.add_api_route(route, serve, methods=["GET"], dependencies=[acts(SHOW)])


def serve_steps(router: APIRouter, kind: str, path: str, *verbs: str) -> None:
    """Serve pause, resume and close, each with its reason."""
    for verb in verbs:
        router.add_api_route(
            f"{path}/{{code}}/{verb}",
            _step(kind, verb),
            methods=["POST"],
            dependencies=[acts(f"{kind}.{verb}")],
        )


def _step(kind: str, verb: str) -> Step:
    async def step(request: Request, caller: Signed, code: PathCode, body: Reason) -> JSONResponse:
        return await perform(request, caller, f"{kind}.{verb}", f"{kind}/{code}", {}, body.reason)

    return step


def _page(page: Page) -> dict[str, Any]:
    return {"rows": [dict(row) for row in page.rows], "after": page.after}
