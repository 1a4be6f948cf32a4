"""/v1/products: dated parameters of cards; changes wait for a second person."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.admin.api.actions import acts
from services.admin.api.caller import Signed
from services.admin.api.registry import (
    BODY,
    Code,
    Groups,
    PathCode,
    Reason,
    Why,
    content_of,
    perform,
    serve_reads,
    serve_steps,
)

_Amount = Annotated[int, Field(ge=0, le=10**16)]
_Count = Annotated[int, Field(ge=0, le=10**8)]
_Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class ProductSet(BaseModel):
    """A set of parameters; amounts in minor units, 0: no limit; what is left out stays."""

    model_config = BODY

    in_force_from: _Day | None = None  # The day on which it is approved, where none is given.
    ceiling_minor: _Amount | None = None
    purchase_max_minor: _Amount | None = None
    day_amount_minor: _Amount | None = None
    day_count: _Count | None = None
    month_amount_minor: _Amount | None = None
    month_count: _Count | None = None
    asks_pin: bool | None = None
    pin_above_minor: _Amount | None = None
    groups: Groups | None = None  # Empty: everywhere.
    reason: Why = ""


class NewProduct(ProductSet):
    """A new product with its first set."""

    code: Code


class Closing(Reason):
    """Why it is closed; with a day only the set that would begin then is withdrawn."""

    in_force_from: _Day | None = None


router = APIRouter()
serve_steps(router, "product", "/v1/products", "pause", "resume")
serve_reads(router, "product", "/v1/products")


@router.post("/v1/products", dependencies=[acts("product.add")])
async def add(request: Request, caller: Signed, body: NewProduct) -> JSONResponse:
    """Propose a new product."""
    content = content_of(body, "code")
    return await perform(
        request, caller, "product.add", f"product/{body.code}", content, body.reason
    )


@router.patch("/v1/products/{code}", dependencies=[acts("product.set")])
async def change(
    request: Request, caller: Signed, code: PathCode, body: ProductSet
) -> JSONResponse:
    """Propose a set that is in force from a day on."""
    return await perform(
        request, caller, "product.set", f"product/{code}", content_of(body), body.reason
    )


@router.post("/v1/products/{code}/close", dependencies=[acts("product.close")])
async def close(request: Request, caller: Signed, code: PathCode, body: Closing) -> JSONResponse:
    """Propose to close a product for ever, or to withdraw a set before its day."""
    return await perform(
        request, caller, "product.close", f"product/{code}", content_of(body), body.reason
    )
