"""What the routes work with: one value, made by main, found in the app's state."""

from dataclasses import dataclass

from fastapi import Request

from services.admin.api.people import People
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.find_cards import FindCards
from services.admin.handlers.import_cards import ImportCards
from services.admin.handlers.import_outlets import ImportOutlets
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.read_audit import ReadAudit
from services.admin.handlers.read_commands import ReadCommands
from services.admin.handlers.read_proposals import ReadProposals
from services.admin.handlers.read_registry import ReadRegistry
from services.admin.handlers.read_statement import ReadStatement
from services.admin.handlers.verify_audit import VerifyAudit
from services.admin.ports import Callers, Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The handlers behind the API."""

    callers: Callers
    people: People
    transactions: Transactions
    perform: PerformAct
    decide: DecideProposal
    proposals: ReadProposals
    audit: ReadAudit
    verify_audit: VerifyAudit
    wallets: ReadStatement
    registry: ReadRegistry
    import_outlets: ImportOutlets
    find_cards: FindCards
    import_cards: ImportCards
    commands: ReadCommands


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that serves a request."""
    desk: Desk = request.app.state.desk
    return desk
