"""What every request passes before its route: who it is, whether they may, what they send."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.admin.api.actions import JSON, PASSED, Access, access_of
from services.admin.api.bodies import checked_body
from services.admin.api.caller import find_caller
from services.admin.api.desk import Desk
from services.admin.api.problems import Problem, ProblemRequest
from services.admin.api.replies import RefusedRequest
from services.admin.api.strict_json import is_plain
from services.admin.domain.refusal import Refused
from services.admin.domain.role import Caller

_PARAMETERS_MAX: Final = 20
_ADDRESS_MAX: Final = 2_000
_HEADERS_MAX: Final = 16_000


class Served(NamedTuple):
    """A route and what its edge must know."""

    route: APIRoute
    access: Access
    parameters: frozenset[str]  # Names that may stand in the query.

    @property
    def name(self) -> str:
        """The route as the audit names it: never what somebody wrote into the address."""
        return f"{' '.join(sorted(self.methods))} {self.route.path}"

    @property
    def methods(self) -> frozenset[str]:
        """The methods by which it is served."""
        return frozenset(self.route.methods or ())

    @property
    def has_body(self) -> bool:
        """Whether anything may be sent to it."""
        return self.route.body_field is not None or self.access.media_type != JSON


def serve_routes(routes: Sequence[APIRoute]) -> tuple[Served, ...]:
    """Read what routes declare; raises UndeclaredRoute: what is not declared is not served."""
    return tuple(
        Served(route, access_of(route), frozenset(_parameters(route.dependant))) for route in routes
    )


class Edge:
    """Denies by default: people first, then the address, the role, and what was sent."""

    def __init__(self, app: ASGIApp, *, desk: Desk, served: Sequence[Served]) -> None:
        self._app = app
        self._desk = desk
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or raise what is wrong with it."""
        request = Request(scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEADERS_MAX:
            raise ProblemRequest(Problem.MALFORMED, "the headers are too long")
        found, is_other_method = self._find(scope)
        caller: Caller | None = None
        if found is None or not found.access.is_open:
            caller = await find_caller(self._desk.callers, request.headers)
            scope.setdefault("state", {})["caller"] = caller
        if found is None:
            raise ProblemRequest(Problem.WRONG_METHOD if is_other_method else Problem.NO_ROUTE)
        if caller is not None and (refused := await self._refuse_role(caller, found)) is not None:
            raise RefusedRequest(refused)
        _check_address(scope, found.parameters)
        body = await checked_body(receive, request.headers, found.access, has_body=found.has_body)
        scope[PASSED] = found.access
        await self._app(scope, body, send)

    def _find(self, scope: Scope) -> tuple[Served | None, bool]:
        """Return the route of a request, and whether its path is served by another method."""
        same_path = [one for one in self._served if one.route.path_regex.match(scope["path"])]
        for one in same_path:
            if scope["method"] in one.methods:
                return one, False
        return None, bool(same_path)

    async def _refuse_role(self, caller: Caller, found: Served) -> Refused | None:
        actions = found.access.actions
        if not actions:
            return None
        return await self._desk.perform.refuse_role(caller, actions, found.name)


def _check_address(scope: Scope, parameters: frozenset[str]) -> None:
    query = scope["query_string"]
    if len(scope["path"]) + len(query) > _ADDRESS_MAX:
        raise ProblemRequest(Problem.MALFORMED, "the address is too long")
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError:
        raise ProblemRequest(Problem.MALFORMED, "the query cannot be read") from None
    texts = (scope["path"], *(value for _, value in pairs))
    if not all(map(is_plain, texts)):
        raise ProblemRequest(Problem.MALFORMED, "the address holds a control character")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or not parameters.issuperset(names):
        known = ", ".join(sorted(parameters)) or "none"
        detail = f"a query parameter is unknown or stands there twice; there are: {known}"
        raise ProblemRequest(Problem.INVALID, detail)


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)
