"""The app: all routers, the edge before them, and one shape for everything that goes wrong."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware

from services.admin.api import (
    approvals,
    audit,
    cards,
    commands,
    groups,
    ledger,
    operators,
    outlets,
    products,
    programmes,
    sessions,
    terminals,
    wallets,
)
from services.admin.api.desk import Desk
from services.admin.api.edge import Edge, serve_routes
from services.admin.api.errors import HANDLERS, LAST_RESORT
from services.admin.api.headers import SafeHeaders
from services.admin.api.strict_json import PLAIN

TITLE: Final = "Lesko admin"
_ROUTERS: Final[tuple[APIRouter, ...]] = (
    approvals.router,
    audit.router,
    cards.router,
    commands.router,
    outlets.router,
    groups.router,
    ledger.router,
    terminals.router,
    products.router,
    programmes.router,
    wallets.router,
    sessions.router,
    operators.router,
)


def build_api(desk: Desk, routers: Sequence[APIRouter] = _ROUTERS) -> FastAPI:
    """Make the app. It shows no description of itself to strangers: see ``lesko admin openapi``.

    Raises UndeclaredRoute when a route does not say what it is for.
    """
    app = FastAPI(
        title=TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers=dict(HANDLERS),
    )
    app.state.desk = desk
    for router in routers:
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(Edge, desk=desk, served=serve_routes(routes_of(routers)))
    app.add_middleware(ExceptionMiddleware, handlers=LAST_RESORT)
    app.add_middleware(SafeHeaders)
    return app


def describe_api(routers: Sequence[APIRouter] = _ROUTERS) -> dict[str, Any]:
    """Return the OpenAPI description of all routes, with what the edge asks of every text."""
    described = get_openapi(title=TITLE, version="1", routes=routes_of(routers))
    _describe_texts(described)
    return described


def _describe_texts(found: Any) -> None:
    if isinstance(found, dict):
        if found.get("type") == "string" and not {"pattern", "enum", "format"} & found.keys():
            found["pattern"] = PLAIN
        for inner in found.values():
            _describe_texts(inner)
    elif isinstance(found, list):
        for inner in found:
            _describe_texts(inner)


def routes_of(routers: Sequence[APIRouter] = _ROUTERS) -> list[APIRoute]:
    """Return all routes, in the order in which they are tried."""
    routes = [route for router in routers for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in routes)  # Others would pass by the edge.
    return [route for route in routes if isinstance(route, APIRoute)]
