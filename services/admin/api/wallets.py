"""Wallets: what they hold, their statement, and manual adjustments."""

from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.accounts import PURSES_MAX
from libs.contracts.topics import LEDGER_COMMAND
from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.replies import refusal_reply, reply
from services.admin.api.texts import Text
from services.admin.domain.act import Act
from services.admin.domain.command_answer import show_answer
from services.admin.domain.refusal import Refused
from services.admin.domain.statement import Adjusted, Entry, PurseStatement
from services.admin.domain.wallet import (
    ADJUST,
    AMOUNT_MAX,
    SHOW,
    STATEMENT,
    WALLET_MAX,
    wallet_entity,
)

router = APIRouter(prefix="/v1/wallets")


WalletNumber = Annotated[int, Path(ge=1, le=WALLET_MAX)]
_MEDIA: Final = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


class AdjustmentBody(BaseModel):
    """A manual adjustment; the amount in minor units, its direction beside it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    purse: int = Field(default=0, ge=0, le=PURSES_MAX)
    amount_minor: int = Field(gt=0, le=AMOUNT_MAX)
    direction: Literal["credit", "debit"]
    reason: Text = Field(min_length=1, max_length=500)
    document: Text = Field(min_length=1, max_length=100)


@router.get("/{wallet}", dependencies=[acts(SHOW)])
async def show(request: Request, caller: Signed, wallet: WalletNumber) -> JSONResponse:
    """Show a wallet's purses and what they hold now."""
    found = await desk_of(request).wallets.now(caller, wallet)
    if isinstance(found, Refused):
        return refusal_reply(found)
    purses = [
        {"purse": one.purse, "programme": one.programme, "balance_minor": one.closing}
        for one in found.purses
    ]
    adjusted = [_adjusted(one) for one in found.adjusted]
    return JSONResponse({"wallet": found.wallet, "purses": purses, "adjustments": adjusted})


@router.get("/{wallet}/statement", dependencies=[acts(STATEMENT)])
async def statement(
    request: Request,
    caller: Signed,
    wallet: WalletNumber,
    first: Annotated[date, Query()],
    last: Annotated[date, Query()],
    form: Annotated[Literal["json", "csv", "pdf"], Query(alias="format")] = "json",
) -> Response:
    """Give a wallet's movements from one booking day to another, both included."""
    wallets = desk_of(request).wallets
    if form != "json":
        file = await wallets.file(caller, wallet, first=first, last=last, form=form)
        if isinstance(file, Refused):
            return refusal_reply(file)
        name = f"rekening-koran-{wallet}-{first}-{last}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(file, media_type=_MEDIA[form], headers=headers)
    found = await wallets.statement(caller, wallet, first=first, last=last)
    if isinstance(found, Refused):
        return refusal_reply(found)
    return JSONResponse(
        {
            "wallet": found.wallet,
            "first": found.first.isoformat(),
            "last": found.last.isoformat(),
            "purses": [_purse(one) for one in found.purses],
            "movements": [_entry(one) for one in found.entries],
        }
    )


@router.post("/{wallet}/adjustments", dependencies=[acts(ADJUST)])
async def adjust(
    request: Request, caller: Signed, wallet: WalletNumber, body: AdjustmentBody
) -> JSONResponse:
    """Propose a manual adjustment; done once a second person has approved it."""
    content = body.model_dump(include={"purse", "amount_minor", "direction"})
    act = Act(ADJUST, wallet_entity(wallet), content, body.reason, body.document)
    return reply(await desk_of(request).perform(caller, act))


def _adjusted(adjusted: Adjusted) -> dict[str, object]:
    answer = None if adjusted.answer is None else show_answer(LEDGER_COMMAND, adjusted.answer)
    return {
        "command": adjusted.command.hex(),
        "made_on": adjusted.made_on.isoformat(),
        "reason": adjusted.note.reason,
        "document": adjusted.note.document,
        "answer": answer,
    }


def _purse(purse: PurseStatement) -> dict[str, int]:
    return {
        "purse": purse.purse,
        "programme": purse.programme,
        "opening_minor": purse.opening,
        "debits_minor": purse.debits,
        "credits_minor": purse.credits,
        "closing_minor": purse.closing,
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "booked_on": entry.day.isoformat(),
        "kind": entry.kind,
        "purse": entry.purse,
        "programme": entry.programme,
        "amount_minor": entry.amount,
        "balance_minor": entry.balance,
        "outlet": entry.outlet,
        "terminal": entry.terminal,
        "stan": entry.stan,
        "rrn": entry.rrn,
        "reason": entry.reason,
        "document": entry.document,
    }
