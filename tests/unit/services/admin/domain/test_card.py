"""Steps of cards: from where to where, and what an act must say."""

import pytest

from libs.contracts.lesko.v1.card_pb2 import CardStatus
from services.admin.domain.act import Act
from services.admin.domain.card import (
    STEPS,
    Change,
    card_entity,
    read_change,
    read_reference,
    status_command,
)
from services.admin.domain.command_answer import status_name
from services.admin.domain.permission import RULES
from services.admin.domain.refusal import Refusal, Refused

TOKEN = bytes(range(16))
WAYS = {
    "issue": ({"inactive"}, "active"),
    "block": ({"active"}, "blocked"),
    "unblock": ({"blocked"}, "active"),
    "lost": ({"inactive", "active", "blocked"}, "lost"),
    "stolen": ({"inactive", "active", "blocked"}, "stolen"),
    "recover": ({"lost", "stolen"}, "active"),
    "close": ({"inactive", "active", "blocked", "lost", "stolen"}, "closed"),
}


def an_act(verb: str, **content: str) -> Act:
    """A step of one card."""
    return Act(f"card.{verb}", card_entity(TOKEN), content, "because")


@pytest.mark.parametrize("verb", WAYS)
def test_every_step_has_its_ways_and_its_rule(verb: str) -> None:
    """As the states of a card are drawn; only a lost or stolen one needs two people."""
    step = STEPS[verb]

    assert WAYS[verb] == ({status_name(one) for one in step.out_of}, status_name(step.wanted))
    assert ("recover" == verb) is RULES[f"card.{verb}"].two_people
    assert WAYS.keys() == STEPS.keys()


@pytest.mark.parametrize("verb", WAYS)
@pytest.mark.parametrize("was", ["inactive", "active", "blocked", "lost", "stolen", "closed"])
def test_a_card_found_in_another_state_is_refused(verb: str, was: str) -> None:
    """In the wanted state it is a repeat, and the command says so."""
    out_of, wanted = WAYS[verb]
    found = read_change(an_act(verb, was=was))

    is_allowed = was in out_of or was == wanted
    assert is_allowed is isinstance(found, Change)
    if isinstance(found, Refused):
        assert (Refusal.WRONG_STATE, f"The card is {was}.") == found


def test_a_step_becomes_a_command() -> None:
    """With the states that it leads out of."""
    change = read_change(an_act("unblock"))
    assert isinstance(change, Change)
    command = status_command(b"i" * 16, change)

    assert (b"i" * 16, TOKEN) == (command.command_id, command.set_status.token)
    assert CardStatus.CARD_STATUS_ACTIVE == command.set_status.status
    assert [CardStatus.CARD_STATUS_BLOCKED] == list(getattr(command.set_status, "from"))


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "0" * 31 + "G", "A" * 32, " " + "0" * 31])
def test_a_reference_is_a_token(text: str) -> None:
    """Sixteen bytes in small hexadecimal digits, and nothing else."""
    assert read_reference(text) is None
    assert Refused(Refusal.UNKNOWN) == read_change(Act("card.block", f"card/{text}", {}))
    assert TOKEN == read_reference(TOKEN.hex())
