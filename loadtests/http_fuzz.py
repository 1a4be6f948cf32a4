"""``make fuzz-http``: thousands of signed-in requests that are made of the API's own form.

Most fit the form, some do not; none of them may end in a mistake of ours.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests import Session
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from libs.pg import migrate
from loadtests import machine
from loadtests.http_fuzz_scene import SCHEMAS, Scene, open_scene
from loadtests.postgres import open_postgres
from loadtests.program import VAR, Ending, run_program, tell
from services.admin.api.actions import access_of
from services.admin.api.app import describe_api, routes_of
from services.admin.domain.permission import RULES
from services.admin.domain.role import Role

NAME: Final = "http-fuzz"
BOOKS: Final = "lesko_fuzz"
CASES: Final = 5_600  # Some endpoints have fewer forms than their share.
CASES_LEAST: Final = 5_000
REACH_LEAST: Final = 0.6
SERVER_ERROR: Final = 500
_TIMEOUT_S: Final = 60
_EDGE: Final = frozenset(
    {
        *("NOT_SIGNED_IN", "NOT_YOUR_ROLE", "CODE_NEEDED", "NO_ROUTE", "WRONG_METHOD"),
        *("TOO_LARGE", "TOO_SLOW", "WRONG_TYPE", "MALFORMED", "INVALID", "no JSON"),
    }
)
"""Codes of requests that ended before a handler saw them."""


class Hit(NamedTuple):
    """What one request came to."""

    endpoint: str
    status: int
    code: str  # Of the error; empty for none.

    @property
    def is_reached(self) -> bool:
        """Whether a handler decided it."""
        return self.code not in _EDGE


class Tally:
    """Endpoints by what they answered."""

    def __init__(self) -> None:
        self._hits: Counter[Hit] = Counter()

    def count(self, hit: Hit) -> None:
        """Count one request."""
        self._hits[hit] += 1

    @property
    def cases(self) -> int:
        """How many there were."""
        return self._hits.total()

    @property
    def reach(self) -> float:
        """Which part of them a handler decided."""
        reached = sum(number for hit, number in self._hits.items() if hit.is_reached)
        return reached / max(1, self.cases)

    @property
    def server_errors(self) -> list[Hit]:
        """Those that never may be."""
        return sorted(hit for hit in self._hits if hit.status >= SERVER_ERROR)

    def table(self) -> list[dict[str, Any]]:
        """Return endpoints and codes, with how often."""
        return [{**hit._asdict(), "cases": self._hits[hit]} for hit in sorted(self._hits)]


def fuzz(scene: Scene, *, cases: int, number: int, loop: asyncio.AbstractEventLoop) -> Tally:
    """Ask every endpoint, ``cases`` in all; ``number`` seeds them. For a thread of its own."""
    schema = schemathesis.openapi.from_dict(_described(scene))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    roles = _roles()
    tally = Tally()
    with Session() as session:
        for operation in operations:
            endpoint = f"{operation.method.upper()} {operation.path}"
            role = roles[endpoint]
            headers = {} if role is None else {"authorization": f"Bearer {scene.tokens[role]}"}
            each = -(-cases // len(operations))
            wrong = each // 8  # So many do not fit the form.
            for mode, share in (
                (GenerationMode.POSITIVE, each - wrong),
                (GenerationMode.NEGATIVE, wrong),
            ):
                for case in _cases(operation, mode, share, number):
                    tally.count(_ask(scene, session, case, endpoint, headers))
            asyncio.run_coroutine_threadsafe(scene.sign_in_again(), loop).result(_TIMEOUT_S)
    return tally


def _cases(operation: Any, mode: GenerationMode, count: int, number: int) -> Iterator[Case[Any]]:
    found: list[Case[Any]] = []

    @seed(number)
    @settings(
        max_examples=max(1, count),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Case[Any]) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:
        return  # Nothing that does not fit can be made where nothing is asked for.
    yield from found


def _ask(
    scene: Scene, session: Session, case: Case[Any], endpoint: str, headers: Mapping[str, str]
) -> Hit:
    answer = case.call(
        base_url=scene.url, session=session, headers=dict(headers), timeout=_TIMEOUT_S
    )
    if answer.status_code < 400:  # noqa: PLR2004 -- where HTTP's errors begin
        return Hit(endpoint, answer.status_code, "")
    try:
        code = str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        code = "no JSON"
    return Hit(endpoint, answer.status_code, code)


def _roles() -> dict[str, Role | None]:
    """Return somebody who may, for each endpoint; None where nobody needs to have signed in."""
    found: dict[str, Role | None] = {}
    for route in routes_of():
        access = access_of(route)
        may = RULES[access.actions[0]].roles if access.actions else frozenset(Role)
        for method in route.methods or ():
            found[f"{method} {route.path}"] = None if access.is_open else min(may)
    return found


def _described(scene: Scene) -> dict[str, Any]:
    """Return the API's form, in whose addresses the things that there are come up too."""
    described = describe_api()
    for path in described["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                known = scene.known.get(parameter["name"])
                if parameter["in"] == "path" and known is not None:
                    parameter["schema"] = {"anyOf": [{"enum": list(known)}, parameter["schema"]]}
    return described


async def measure(*, cases: int, number: int, dsn: str | None, work: Path) -> dict[str, Any]:
    """Fuzz a fresh installation and return the whole result."""
    async with open_postgres(dsn, work) as postgres:
        books = await postgres.create(BOOKS)
        try:
            for schema, directory in SCHEMAS.items():
                await migrate(books, schema, directory)
            async with open_scene(books, work) as scene:
                tell(f"asking {len(routes_of())} endpoints {cases:,} times")
                loop = asyncio.get_running_loop()
                tally = await asyncio.to_thread(fuzz, scene, cases=cases, number=number, loop=loop)
        finally:
            await postgres.drop(BOOKS)
    return {
        "versions": machine.versions() | {"schemathesis": schemathesis.__version__},
        "seed": number,
        "cases": tally.cases,
        "reach": round(tally.reach, 4),
        "server_errors": [hit._asdict() for hit in tally.server_errors],
        "endpoints": tally.table(),
    }


def is_sound(result: dict[str, Any]) -> bool:
    """Whether enough were asked and reached a handler, and none ended in a mistake of ours."""
    is_enough = result["quick"] or result["cases"] >= CASES_LEAST
    return is_enough and not result["server_errors"] and result["reach"] >= REACH_LEAST


def show(result: dict[str, Any]) -> None:
    """Print endpoints and codes."""
    for one in result["endpoints"]:
        tell(f"{one['cases']:6}  {one['status']}  {one['code'] or '-':20} {one['endpoint']}")
    tell(f"{result['cases']:,} cases, {result['reach']:.1%} reached a handler,")
    tell(f"{len(result['server_errors'])} kinds of server errors")


def main() -> int:
    """Read the command line and fuzz."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.http_fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=None)
    given_ = parser.parse_args()
    return run_program(
        NAME,
        lambda work, dsn: measure(cases=given_.cases, number=given_.seed, dsn=dsn, work=work),
        Ending(show=show, is_sound=is_sound),
        place=VAR / "load",
        results=given_.results,
        quick=given_.cases < CASES,
    )


if __name__ == "__main__":
    sys.exit(main())
