"""Admin's API with real people on a real PostgreSQL: passwords, factors and tokens are real too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, Final

import asyncpg
import httpx
import pyotp

from libs.fakes.clock import FixedClock
from libs.fakes.operators import NoteExecutor
from libs.pg import Pool, open_pool
from libs.vault import Vault
from services.admin.adapters.factor import STEP_MS, TotpFactors
from services.admin.adapters.passwords import Argon2Passwords
from services.admin.api.app import build_api
from services.admin.api.desk import Desk
from services.admin.api.people import People
from services.admin.domain.act import Target
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.enrol import Enrol
from services.admin.handlers.init_operators import InitOperators
from services.admin.handlers.manage_operators import ManageOperators
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.read_audit import ReadAudit
from services.admin.handlers.read_operators import ReadOperators
from services.admin.handlers.read_proposals import ReadProposals
from services.admin.handlers.sign_in import SignIn
from services.admin.handlers.sign_out import SignOut
from services.admin.handlers.verify_audit import VerifyAudit
from services.admin.ports import Executor
from services.admin.store.audit import AuditStore
from services.admin.store.sessions import SessionStore
from services.admin.store.work import PostgresTransactions
from tests.integration.services.admin.approvals import MIGRATIONS, NOON_MS, MakeDatabase

ADMINISTRATOR: Final = "root"
APPROVER: Final = "appi"
SESSION_MS: Final = 3_600_000


def password_of(login: str) -> str:
    """Return the password that everybody here chooses."""
    return f"ombak-pasir-{login[::-1]}-77"


class Office:
    """The API and those who use it."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        self.dsn = dsn
        self.clock = FixedClock(NOON_MS)
        self.secrets: dict[str, str] = {}  # Of factors, as authenticators hold them.
        self.tokens: dict[str, str] = {}
        self.codes: dict[str, str] = {}  # One-time codes, as they were told.
        transactions = PostgresTransactions(pool, self.clock)
        passwords = Argon2Passwords(memory_kib=64, passes=1)
        factors = TotpFactors(Vault({1: bytes(range(32))}), self.clock)
        executors: dict[str, Executor] = {
            "operator": ManageOperators(self.clock),
            "product": NoteExecutor(target=Target()),
        }
        known: dict[str, Any] = {
            "callers": SessionStore(pool, self.clock),
            "people": People(
                sign_in=SignIn(transactions, passwords, factors, self.clock, session_ms=SESSION_MS),
                sign_out=SignOut(transactions),
                enrol=Enrol(transactions, passwords, factors, self.clock),
                operators=ReadOperators(transactions, self.clock),
            ),
            "transactions": transactions,
            "perform": PerformAct(transactions, executors),
            "decide": DecideProposal(transactions, executors),
            "proposals": ReadProposals(transactions),
            "audit": ReadAudit(AuditStore(pool)),
            "verify_audit": VerifyAudit(AuditStore(pool)),
        }
        self.init = InitOperators(transactions, passwords, self.clock)
        given: dict[str, Any] = {one.name: known.get(one.name) for one in fields(Desk)}
        self.desk = Desk(**given)  # What these tests do not ask for is not there.
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(build_api(self.desk)), base_url="http://admin"
        )

    async def ask(self, login: str, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask as somebody who has signed in; with an empty login as nobody."""
        token = self.tokens.get(login)
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self._client.request(method, path, headers=headers, json=body)

    async def sign_in(
        self, login: str, password: str | None = None, code: str | None = None
    ) -> httpx.Response:
        """Sign in, with what the person has unless told otherwise; keep the token."""
        body = {
            "login": login,
            "password": password_of(login) if password is None else password,
            "code": self.code(login) if code is None else code,
        }
        answer = await self._client.post("/v1/sessions", json=body)
        if answer.is_success:
            self.tokens[login] = answer.json()["token"]
        return answer

    def code(self, login: str) -> str:
        """Return what the authenticator of a person shows, each time a code that is new."""
        if login not in self.secrets:
            return ""
        self.clock.advance(STEP_MS)
        return pyotp.TOTP(self.secrets[login]).generate_otp(self.clock.now_ms() // STEP_MS)

    async def enrol(self, login: str, code: str, **more: object) -> httpx.Response:
        """Enrol with a one-time code, in as many steps as it takes."""
        path = f"/v1/operators/{login}/enrol"
        body = {"code": code, "password": password_of(login), **more}
        answer = await self._client.post(path, json=body)
        if not answer.is_success or answer.json()["is_enrolled"]:
            return answer
        self.secrets[login] = answer.json()["factor"]["secret"]
        return await self._client.post(path, json={**body, "factor_code": self.code(login)})

    async def decide(self, answer: httpx.Response, by: str = APPROVER) -> httpx.Response:
        """Approve what a 202 has proposed."""
        assert 202 == answer.status_code, answer.text
        number = answer.json()["proposal"]
        shown = await self.ask(by, "GET", f"/v1/proposals/{number}")
        agreed = {"hash": shown.json().get("hash", "0" * 64)}
        return await self.ask(by, "POST", f"/v1/proposals/{number}/approve", agreed)

    async def add(self, login: str, role: str) -> httpx.Response:
        """Add somebody, by two people where it needs two; keep their one-time code."""
        body = {"login": login, "name": login.title(), "role": role, "reason": "works here"}
        answer = await self.ask(ADMINISTRATOR, "POST", "/v1/operators", body)
        if answer.status_code == 202:
            answer = await self.decide(answer)
        assert answer.is_success, answer.text
        self.codes[login] = answer.json()["enrolment_code"]
        return answer

    async def let_in(self, login: str, role: str) -> None:
        """Add somebody who enrols and signs in."""
        await self.add(login, role)
        assert (await self.enrol(login, self.codes[login])).is_success
        assert (await self.sign_in(login)).is_success

    async def dump(self) -> str:
        """Return all rows of all tables of admin, as the database shows them."""
        connection = await asyncpg.connect(self.dsn)
        try:
            tables = await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'admin'"
            )
            found = [
                row[0]
                for (table,) in tables
                for row in await connection.fetch(f'SELECT t::text FROM admin."{table}" t')
            ]
        finally:
            await connection.close()
        return "\n".join(found)

    async def tell(self, sql: str) -> None:
        """Say something to the database as the owner of the tables, past all of our code."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


@asynccontextmanager
async def open_people(make_database: MakeDatabase) -> AsyncIterator[Office]:
    """Open an office where an administrator and an approver have signed in."""
    dsn = await make_database(MIGRATIONS)
    async with open_pool(dsn, name="test people", size=6) as pool:
        office = Office(dsn, pool)
        await office.init.begin(ADMINISTRATOR, "Root", password_of(ADMINISTRATOR))
        assert (await office.sign_in(ADMINISTRATOR)).is_success
        await office.let_in(APPROVER, "approver")
        yield office
        await office.close()
