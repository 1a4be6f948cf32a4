"""Commands as they were asked: with what is needed to answer them, and what they want beside."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from libs.bus.port import Record
from libs.contracts.envelope import Envelope, read_envelope
from libs.contracts.keys import wallet_partition
from services.card_ledger.domain.book import WrongPartition
from services.card_ledger.domain.command import (
    AccountTerms,
    Command,
    MovementsAsked,
    OpenPurses,
    Resend,
)
from services.card_ledger.domain.opening import check_home
from services.card_ledger.handlers.records import read_command


class Asked(NamedTuple):
    """A command with what is needed to answer it."""

    command: Command
    envelope: Envelope
    offset: int


ByPartition = Mapping[int, Sequence[Asked]]


def read_asked(record: Record) -> Asked:
    """Turn a record into what it asks; raises CommandBroken."""
    envelope = read_envelope(record.envelope)
    return Asked(read_command(record.value, envelope.deadline_ms), envelope, record.offset)


def resends(asked: ByPartition) -> list[tuple[int, Resend]]:
    """Return which batches shall be published again, with their partitions."""
    return [
        (partition, one.command.body)
        for partition, some in asked.items()
        for one in some
        if isinstance(one.command.body, Resend)
    ]


def openings(asked: ByPartition, partitions: int) -> list[AccountTerms]:
    """Return the purses to open, in the order asked; raises WrongPartition."""
    found: list[AccountTerms] = []
    for partition, some in asked.items():
        for one in some:
            if isinstance(one.command.body, OpenPurses):
                check_home(one.command.body.accounts, partition, partitions)
                found.extend(one.command.body.accounts)
    return found


def questions(asked: ByPartition, partitions: int) -> list[Asked]:
    """Return who wants to know what moved; raises WrongPartition."""
    found: list[Asked] = []
    for partition, some in asked.items():
        for one in some:
            if not isinstance(one.command.body, MovementsAsked):
                continue
            if wallet_partition(one.command.wallet, partitions) != partition:
                message = f"wallet {one.command.wallet} is not of partition {partition}"
                raise WrongPartition(message)
            found.append(one)
    return found
