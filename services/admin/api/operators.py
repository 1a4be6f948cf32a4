"""Operators over HTTP: their rights, which others change, and enrolling, which is their own."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.admin.api.actions import acts, open_to_all
from services.admin.api.caller import Signed
from services.admin.api.desk import desk_of
from services.admin.api.registry import BODY, Reason, content_of, perform
from services.admin.api.replies import refusal_reply
from services.admin.api.sessions import AnyCode, AnyPassword
from services.admin.domain.operator import NAME_MAX, PLACE_MAX, PLACES_MAX, entity_of
from services.admin.domain.refusal import Refused
from services.admin.handlers.enrol import Enrolment, Offered
from services.admin.handlers.manage_operators import ADD, DISABLE, RESET, ROLE

router = APIRouter()

_PATH: Final = "/v1/operators"
_ROWS_MAX: Final = 500
_FORM: Final = r"^[a-z0-9._-]*$"
Login = Annotated[str, Path(min_length=1, max_length=32, pattern=_FORM)]
RoleName = Literal["administrator", "operator", "approver", "auditor", "finance"]
Places = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=PLACE_MAX)]], Field(max_length=PLACES_MAX)
]
Why = Annotated[str, Field(max_length=500)]


class NewOperator(BaseModel):
    """Somebody new, and what they may do where."""

    model_config = BODY

    login: str = Field(min_length=1, max_length=32, pattern=_FORM)
    name: str = Field(min_length=1, max_length=NAME_MAX)
    role: RoleName
    regions: Places = []  # Empty: everywhere.
    groups: Places = []
    reason: Why = ""


class Rights(BaseModel):
    """What somebody may do where from now on; what is left out stays."""

    model_config = BODY

    role: RoleName | None = None
    regions: Places | None = None
    groups: Places | None = None
    reason: Why = ""


class EnrolBody(BaseModel):
    """The one-time code and what somebody wants to sign in with."""

    model_config = BODY

    code: str = Field(max_length=64, repr=False)
    password: AnyPassword
    factor_code: AnyCode = ""  # Empty: offer a factor, where there is to be one.
    wants_factor: bool = False


@router.get(_PATH, dependencies=[acts("operator.list")])
async def list_operators(
    request: Request,
    after: Annotated[str, Query(max_length=32, pattern=_FORM)] = "",
    rows_max: Annotated[int, Query(ge=1, le=_ROWS_MAX)] = 100,
) -> JSONResponse:
    """Show operators in the order of their logins; disabled ones too."""
    rows = await desk_of(request).people.operators.page(after=after, rows_max=rows_max)
    is_full = len(rows) == rows_max
    return JSONResponse({"rows": rows, "after": rows[-1]["login"] if is_full else ""})


@router.post(_PATH, dependencies=[acts(ADD)])
async def add(request: Request, caller: Signed, body: NewOperator) -> JSONResponse:
    """Propose somebody new; once added they enrol with the one-time code of the answer."""
    content = content_of(body, "login")
    return await perform(request, caller, ADD, entity_of(body.login), content, body.reason)


@router.post(_PATH + "/{login}/role", dependencies=[acts(ROLE)])
async def change_rights(
    request: Request, caller: Signed, login: Login, body: Rights
) -> JSONResponse:
    """Propose other rights for somebody; they hold from the next request of theirs on."""
    return await perform(request, caller, ROLE, entity_of(login), content_of(body), body.reason)


@router.post(_PATH + "/{login}/reset", dependencies=[acts(RESET)])
async def reset(request: Request, caller: Signed, login: Login, body: Reason) -> JSONResponse:
    """Propose a new one-time code for somebody; what they sign in with now ends with it."""
    return await perform(request, caller, RESET, entity_of(login), {}, body.reason)


@router.post(_PATH + "/{login}/disable", dependencies=[acts(DISABLE)])
async def disable(request: Request, caller: Signed, login: Login, body: Reason) -> JSONResponse:
    """Disable somebody for ever, at once; one person is enough to stop another."""
    return await perform(request, caller, DISABLE, entity_of(login), {}, body.reason)


@router.post(_PATH + "/{login}/enrol", dependencies=[open_to_all()])
async def enrol(request: Request, login: Login, body: EnrolBody) -> JSONResponse:
    """Take over a login with its one-time code; where a factor is needed, in two requests."""
    wanted = Enrolment(
        login=login,
        code=body.code,
        password=body.password,
        factor_code=body.factor_code.replace(" ", ""),
        wants_factor=body.wants_factor,
    )
    found = await desk_of(request).people.enrol(wanted)
    if isinstance(found, Refused):
        return refusal_reply(found)
    if isinstance(found, Offered):
        factor = {"secret": found.factor.secret, "uri": found.factor.uri}
        return JSONResponse({"is_enrolled": False, "factor": factor})
    return JSONResponse({"is_enrolled": True, "has_factor": found.has_factor})
