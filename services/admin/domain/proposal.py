"""A proposal of one person that another one decides; the database refuses the same person twice."""

from enum import IntEnum
from typing import NamedTuple

from services.admin.domain.act import Act, content_hash
from services.admin.domain.refusal import Refusal


class ProposalState(IntEnum):
    """Where a proposal stands; the numbers stand in the table."""

    OPEN = 1
    APPROVED = 2
    REJECTED = 3
    VOID = 4  # What it is about changed, or could not be done any more.


class Proposal(NamedTuple):
    """An act that waits for a second person."""

    number: int
    act: Act
    version: int  # Of the entity when it was proposed.
    hash: bytes  # content_hash of the act and that version.
    maker: int
    maker_login: str
    made_ms: int
    state: ProposalState = ProposalState.OPEN
    checker: int = 0
    checker_login: str = ""
    decided_ms: int = 0
    decision: str = ""  # The checker's reason.


def is_intact(proposal: Proposal) -> bool:
    """Whether what stands there is still what was proposed: its content gives its hash."""
    return content_hash(proposal.act, version=proposal.version) == proposal.hash


def refuse_decision(proposal: Proposal, *, checker: int, agreed: bytes) -> Refusal | None:
    """Return why this person may not decide this proposal as they saw it (its hash)."""
    if checker == proposal.maker:
        return Refusal.MAKER_IS_CHECKER
    if proposal.state is not ProposalState.OPEN:
        return Refusal.DECIDED
    if agreed != proposal.hash:
        return Refusal.CHANGED_MEANWHILE
    return None
