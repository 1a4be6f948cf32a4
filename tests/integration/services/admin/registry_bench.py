"""The registry's routes on a real PostgreSQL, with people whose tokens are their logins."""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import httpx

from libs.fakes.clock import FixedClock
from libs.pg import Pool
from libs.registry import Entry, read_entry
from services.admin.api import approvals, groups, outlets, products, programmes, terminals
from services.admin.api.app import build_api
from services.admin.api.desk import Desk
from services.admin.domain.role import Caller, Role, Scope
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.edit_registry import registry_executors, today_in
from services.admin.handlers.import_outlets import ImportOutlets
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.read_proposals import ReadProposals
from services.admin.handlers.read_registry import ReadRegistry
from services.admin.store.work import PostgresTransactions

NOW_MS: Final = 1_795_537_200_000  # 2026-11-24 16:20 in UTC, the 25th in Jayapura.
ROUTERS: Final = (
    outlets.router,
    groups.router,
    terminals.router,
    products.router,
    programmes.router,
    approvals.router,
)
PEOPLE: Final[Mapping[str, tuple[Role, Scope]]] = {
    "admin": (Role.ADMINISTRATOR, Scope()),
    "operator": (Role.OPERATOR, Scope()),
    "approver": (Role.APPROVER, Scope()),
    "auditor": (Role.AUDITOR, Scope()),
    "finance": (Role.FINANCE, Scope()),
    "papua": (Role.OPERATOR, Scope(regions=frozenset({"papua"}))),
    "east": (Role.OPERATOR, Scope(regions=frozenset({"papua", "biak"}))),
    "even": (Role.OPERATOR, Scope(groups=frozenset({"even"}))),
    "local": (Role.ADMINISTRATOR, Scope(regions=frozenset({"papua"}))),
}
_OPERATOR: Final = """
    INSERT INTO admin.operator (login, name, role, made_at)
    VALUES ($1, $1, $2, now()) RETURNING id
"""
_AUDIT: Final = "SELECT login, action, entity, result, content FROM admin.audit ORDER BY no"
_ROWS: Final = "SELECT count(*) FROM admin.registry"


class Answer(NamedTuple):
    """What the API said."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The refusal's code."""
        return str(self.body["error"]["code"])


class Tokens:
    """Finds people by their login, which is their token here."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def find(self, token: str) -> Caller | None:
        """Return who has this login."""
        return self.callers.get(token)


class Bench:
    """The API, the table behind it, and a clock that the test moves."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.clock = FixedClock(NOW_MS)
        self.tokens = Tokens()
        self.transactions = PostgresTransactions(pool, self.clock)
        today = partial(today_in, ZoneInfo("Asia/Jayapura"), self.clock)
        executors = registry_executors(self.clock, today)
        desk = SimpleNamespace(
            callers=self.tokens,
            transactions=self.transactions,
            perform=PerformAct(self.transactions, executors),
            decide=DecideProposal(self.transactions, executors),
            proposals=ReadProposals(self.transactions),
            registry=ReadRegistry(self.transactions, today),
            import_outlets=ImportOutlets(self.transactions, self.clock),
        )
        self.app = build_api(cast("Desk", desk), routers=ROUTERS)

    async def hire(self) -> None:
        """Let everybody of PEOPLE be an operator."""
        for login, (role, scope) in PEOPLE.items():
            [row] = await self.pool.write(_OPERATOR, login, int(role))
            self.tokens.callers[login] = Caller(row["id"], login, role, scope, has_factor=True)

    async def send(self, login: str, method: str, path: str, **body: Any) -> Answer:
        """Send a request as somebody."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            answer = await client.request(
                method,
                path,
                headers={"authorization": f"Bearer {login}"},
                json=body if method != "GET" else None,
                timeout=60,
            )
        return Answer(answer.status_code, answer.json())

    async def do(self, login: str, method: str, path: str, **body: Any) -> Any:
        """Send what must succeed; return what was said."""
        answer = await self.send(login, method, path, **body)
        assert answer.status in (200, 202), answer
        return answer.body

    async def approve(self, number: int, login: str = "approver") -> Answer:
        """Approve a proposal as it stands."""
        proposal = await self.do(login, "GET", f"/v1/proposals/{number}")
        return await self.send(
            login, "POST", f"/v1/proposals/{number}/approve", hash=proposal["hash"]
        )

    async def agree(self, method: str, path: str, **body: Any) -> Any:
        """Do what two people are needed for."""
        asked = await self.do("admin", method, path, reason="as agreed", **body)
        answer = await self.approve(asked["proposal"])
        assert 200 == answer.status, answer
        return answer.body

    async def with_groups(self) -> None:
        """Add the groups that tests name."""
        for code in ("even", "north"):
            await self.do("admin", "POST", "/v1/groups", code=code, name=f"Group {code}")

    async def entry(self, entity: str) -> tuple[Entry, int]:
        """Return what stands in the table, with its version."""
        async with self.transactions.begin() as work:
            found = (await work.registry.find([entity]))[entity]
        return read_entry(found), found.version

    async def count(self) -> int:
        """Return how many entities there are."""
        [row] = await self.pool.read(_ROWS)
        return int(row[0])

    async def audit(self) -> list[tuple[str, ...]]:
        """Return every row of the audit: login, action, entity, result, content."""
        return [tuple(row) for row in await self.pool.read(_AUDIT)]
