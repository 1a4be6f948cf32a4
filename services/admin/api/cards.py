"""/v1/cards: find, change and import; a card number stands in bodies only, and goes no further."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Self

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator

from libs.iso8583 import Pan
from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.commands import HexId
from services.admin.api.desk import desk_of
from services.admin.api.registry import BODY, Reason, perform
from services.admin.api.replies import refusal_reply
from services.admin.domain.card import IMPORT, SHOW, STEPS, card_entity, file_entity
from services.admin.domain.card_rows import NUMBER_MAX, NUMBER_MIN
from services.admin.domain.refusal import Refused
from services.admin.handlers.import_cards import Imported, Problems
from services.admin.handlers.read_commands import SHOW as SHOW_COMMAND

_FILE_BYTES_MAX: Final = 16 << 20
_FILE_MS_MAX: Final = 120_000
_REFERENCE: Final = r"^[0-9a-f]{32}$"

router = APIRouter()


class WhichCard(BaseModel):
    """A card by its number or by its reference."""

    model_config = BODY

    number: Annotated[
        str | None, Field(pattern=rf"^[0-9]{{{NUMBER_MIN},{NUMBER_MAX}}}$", repr=False)
    ] = None
    reference: Annotated[str | None, Field(pattern=_REFERENCE)] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.number is None) == (self.reference is None):
            message = "give the number or the reference"
            raise ValueError(message)
        return self


@router.post("/v1/cards/find", dependencies=[acts(SHOW)])
async def find(request: Request, caller: Signed, body: WhichCard) -> JSONResponse:
    """Show a card and the reference by which it is changed."""
    cards = desk_of(request).find_cards
    if body.number is not None:
        token = cards.token_of(Pan(body.number))
    else:
        token = bytes.fromhex(body.reference or "")
    found = await cards(caller, token)
    return refusal_reply(found) if isinstance(found, Refused) else JSONResponse(dict(found))


def _step(verb: str) -> Callable[..., Awaitable[JSONResponse]]:
    async def step(
        request: Request,
        caller: Signed,
        reference: Annotated[str, Path(pattern=_REFERENCE)],
        body: Reason,
    ) -> JSONResponse:
        token = bytes.fromhex(reference)
        before = await desk_of(request).find_cards.before(token, is_needed=verb == "issue")
        if isinstance(before, Refused):
            return refusal_reply(before)
        entity = card_entity(token)
        return await perform(request, caller, f"card.{verb}", entity, before, body.reason)

    return step


for _verb in STEPS:
    router.add_api_route(
        f"/v1/cards/{{reference}}/{_verb}",
        _step(_verb),
        methods=["POST"],
        name=f"card_{_verb}",
        dependencies=[acts(f"card.{_verb}")],
    )


@router.post(
    "/v1/cards/import",
    dependencies=[
        acts(
            IMPORT,
            body_bytes_max=_FILE_BYTES_MAX,
            media_type="text/csv",
            receive_ms_max=_FILE_MS_MAX,
        )
    ],
)
async def take_file(request: Request, caller: Signed, *, check: bool = False) -> JSONResponse:
    """Take over a CSV file (card_number, product, expiry), or nothing: then it says what is wrong.

    What is taken over is done once all its commands are closed, see ``/v1/cards/imports``.
    """
    found = await desk_of(request).import_cards(caller, request.stream(), is_check=check)
    match found:
        case Refused():
            return refusal_reply(found)
        case Imported(file, rows, commands):
            shown = {"is_imported": True, "file": file.hex(), "rows": rows, "commands": commands}
            return JSONResponse(shown)
        case Problems(first, total, rows):
            problems = [problem._asdict() for problem in first]
            return JSONResponse(
                {"is_imported": False, "problems": problems, "count": total, "rows": rows}
            )


@router.get("/v1/cards/imports/{file}", dependencies=[acts(SHOW_COMMAND)])
async def show_file(request: Request, caller: Signed, file: HexId) -> JSONResponse:
    """Show how far an import is."""
    found = await desk_of(request).commands.of_file(caller, file_entity(bytes.fromhex(file)))
    return refusal_reply(found) if isinstance(found, Refused) else JSONResponse(found._asdict())
