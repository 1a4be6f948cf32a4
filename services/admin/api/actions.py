"""What each route is for: the action its caller must be allowed, and how much it may be sent."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from services.admin.domain.permission import RULES

JSON: Final = "application/json"
PASSED: Final = "lesko.access"
"""Where the edge says, in a request's scope, what it let through."""
_BODY_BYTES_MAX: Final = 1 << 20
_RECEIVE_MS_MAX: Final = 10_000


class UndeclaredRoute(Exception):
    """A route that does not say what it is for is served to nobody."""


class Access(NamedTuple):
    """Who may call a route and what may be sent to it."""

    actions: tuple[str, ...] = ()  # The caller's role must allow one of them; see also is_open.
    is_open: bool = False  # Served to people who have not signed in.
    body_bytes_max: int = _BODY_BYTES_MAX
    media_type: str = JSON  # Another type is not read for the route, only counted.
    receive_ms_max: int = _RECEIVE_MS_MAX  # From the head of a request to the end of its body.


class Declared:
    """The dependency that carries a declaration; api/edge.py enforces it."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, request: Request) -> None:
        """See that the edge looked at this very route: an app without an edge serves nothing."""
        if request.scope.get(PASSED) is not self.access:
            raise UndeclaredRoute("a request came past the edge")


def acts(
    *actions: str,
    body_bytes_max: int = _BODY_BYTES_MAX,
    media_type: str = JSON,
    receive_ms_max: int = _RECEIVE_MS_MAX,
) -> Any:
    """Declare a route's action: ``@router.post(..., dependencies=[acts("outlet.add")])``.

    Of several actions the caller's role must allow one; the handler checks the exact one. Raises
    UndeclaredRoute for a name that domain/permission.py does not know.
    """
    unknown = [action for action in actions if action not in RULES]
    if unknown or not actions:
        message = f"no rule in domain/permission.py names {unknown or 'an action'}"
        raise UndeclaredRoute(message)
    access = Access(
        actions=actions,
        body_bytes_max=body_bytes_max,
        media_type=media_type,
        receive_ms_max=receive_ms_max,
    )
    return Depends(Declared(access))


def signed_in() -> Any:
    """Declare a route for everybody who has signed in, about nothing but their own session."""
    return Depends(Declared(Access()))


def open_to_all() -> Any:
    """Declare a route for people who have not signed in: signing in, enrolling, health."""
    return Depends(Declared(Access(is_open=True)))


def access_of(route: APIRoute) -> Access:
    """Return what a route declares; raises UndeclaredRoute where it is not exactly one thing."""
    found = _declared(route.dependencies)
    if len(found) != 1:
        message = f"{sorted(route.methods or ())} {route.path} declares {len(found)} actions, not 1"
        raise UndeclaredRoute(message)
    return found[0]


def _declared(dependencies: Sequence[Any]) -> list[Access]:
    return [one.dependency.access for one in dependencies if isinstance(one.dependency, Declared)]
