"""Admin's API without a network: people by token, and a way to ask as one of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, Final, cast

import httpx
from fastapi import APIRouter

from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import MemoryCallers, NoteExecutor, a_caller
from services.admin.api.app import build_api
from services.admin.api.desk import Desk
from services.admin.domain.act import Target
from services.admin.domain.role import Role
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.read_audit import ReadAudit
from services.admin.handlers.read_proposals import ReadProposals
from services.admin.handlers.verify_audit import VerifyAudit

TOKENS: Final = {f"token-{role.name.lower()}": a_caller(role, operator=role) for role in Role}


class Switch:
    """The API's parts in memory."""

    def __init__(self) -> None:
        self.tables = MemoryTransactions()
        self.executor = NoteExecutor(target=Target(version=4))
        self.callers = MemoryCallers(TOKENS)

    def desk(self) -> Desk:
        """Return a desk; what these tests do not ask for is not there."""
        executors = {"product": self.executor}
        known: dict[str, Any] = {
            "callers": self.callers,
            "transactions": self.tables,
            "perform": PerformAct(self.tables, executors),
            "decide": DecideProposal(self.tables, executors),
            "proposals": ReadProposals(self.tables),
            "audit": ReadAudit(self.tables),
            "verify_audit": VerifyAudit(self.tables),
        }
        return Desk(**{one.name: cast("Any", known.get(one.name)) for one in fields(Desk)})


@asynccontextmanager
async def open_client(
    switch: Switch, routers: Sequence[APIRouter] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve all routes, or those of some routers."""
    desk = switch.desk()
    app = build_api(desk) if routers is None else build_api(desk, routers)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
        yield client


def signed(role: Role) -> dict[str, str]:
    """Return the headers of an operator."""
    return {"authorization": f"Bearer token-{role.name.lower()}"}
