"""Every route of admin by every role: generated from the routes and from the table of rules."""

import re
from typing import Final

import pytest

from services.admin.api.actions import Access, access_of
from services.admin.api.app import describe_api, routes_of
from services.admin.domain.permission import RULES
from services.admin.domain.role import Role
from tests.unit.services.admin.api.served import Switch, open_client, signed

MATRIX: Final = [
    (method, route.path, access_of(route))
    for route in routes_of()
    for method in sorted(route.methods or ())
]
OPEN: Final = {("POST", "/v1/sessions"), ("POST", "/v1/operators/{login}/enrol")}
"""Where people come in; every other route needs a session."""


def address(path: str) -> str:
    """Return a path of a route with something in the place of each parameter."""
    return re.sub(r"{[^}]+}", "1", path)


@pytest.mark.parametrize(("method", "path", "access"), MATRIX)
async def test_route_is_for_its_roles_alone(method: str, path: str, access: Access) -> None:
    """403 to every role that the table does not name, something else to those it names."""
    switch = Switch()
    may = {role for action in access.actions for role in RULES[action].roles}
    async with open_client(switch) as client:
        forbidden = set()
        for role in Role:
            answer = await client.request(method, address(path), headers=signed(role))
            assert 401 != answer.status_code or access.is_open
            assert answer.status_code not in {404, 405} or role in may or not access.actions
            if answer.status_code == 403:
                forbidden.add(role)

    expected = set(Role) - may if access.actions else set()
    assert expected == forbidden
    assert len(expected) == len(switch.tables.audit)


@pytest.mark.parametrize(("method", "path", "access"), MATRIX)
async def test_route_needs_a_session(method: str, path: str, access: Access) -> None:
    """But those where people come in."""
    async with open_client(Switch()) as client:
        answer = await client.request(method, address(path))

    assert ((method, path) in OPEN) == access.is_open
    assert (401 == answer.status_code) != access.is_open


@pytest.mark.parametrize("role", Role)
async def test_route_that_is_not_there_is_served_to_nobody(role: Role) -> None:
    """Whatever their role."""
    async with open_client(Switch()) as client:
        answer = await client.get("/v1/everything", headers=signed(role))

    assert 404 == answer.status_code


def test_routes_are_described_for_whoever_runs_the_command() -> None:
    """Each of them, by ``lesko admin openapi``."""
    described = describe_api()["paths"]

    assert {path for _, path, _ in MATRIX} == set(described)
    assert all(method.lower() in described[path] for method, path, _ in MATRIX)
