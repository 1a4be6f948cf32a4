"""The catalogue: unique numbers, speakable codes, and the precedence that edc.md promises."""

import pytest

from libs.outcome import Fault, Outcome

PRECEDENCE = (
    *("30", "12", "13", "63", "58"),
    *("94", "68", "30"),
    *("58", "03", "14", "41", "43", "62", "62", "54", "55", "75", "57", "61", "65", "51"),
    *("68", "96", "61", "00"),
)
"""DE39 of every member in order: step 1, step 2, step 3; a full wallet comes last but approval."""


def test_stands_in_order_of_precedence() -> None:
    """Reading the catalogue from the top gives the order in which a refusal wins."""
    assert list(PRECEDENCE) == [outcome.de39 for outcome in Outcome]


def test_never_uses_a_number_twice() -> None:
    """Stored rows name outcomes by number, so two members may not share one."""
    numbers = [outcome.number for outcome in Outcome]

    assert len(Outcome.__members__) == len(set(numbers))


def test_numbers_are_those_of_stored_rows() -> None:
    """A number stands in rows for ever: a changed one would rewrite history."""
    stored = {
        "APPROVED": 1,
        "FORMAT_ERROR": 100,
        "FUNCTION_UNSUPPORTED": 101,
        "AMOUNT_INVALID": 102,
        "MAC_INVALID": 103,
        "TERMINAL_UNKNOWN": 104,
        "DUPLICATE_REFERENCE": 200,
        "REVERSED": 201,
        "DATE_OUT_OF_WINDOW": 202,
        "TERMINAL_REFUSED": 300,
        "ACCEPTOR_UNKNOWN": 301,
        "CARD_UNKNOWN": 302,
        "CARD_LOST": 303,
        "CARD_STOLEN": 304,
        "CARD_BLOCKED": 305,
        "CARD_INACTIVE": 306,
        "CARD_EXPIRED": 307,
        "PIN_INVALID": 308,
        "PIN_TRIES_EXCEEDED": 309,
        "NOT_PERMITTED": 310,
        "AMOUNT_LIMIT": 311,
        "COUNT_LIMIT": 312,
        "FUNDS_SHORT": 313,
        "TOO_LATE": 314,
        "COULD_NOT_PROCESS": 315,
        "CEILING": 316,
    }
    now = {outcome.name: outcome.number for outcome in Outcome}

    assert stored == {name: now.get(name) for name in stored}


@pytest.mark.parametrize("outcome", Outcome)
def test_is_found_by_its_number(outcome: Outcome) -> None:
    """A stored number leads back to its member."""
    assert outcome is Outcome.of(outcome.number)


def test_knows_no_other_number() -> None:
    """A number that was never given is an error, not some answer."""
    with pytest.raises(KeyError):
        Outcome.of(0)


@pytest.mark.parametrize("outcome", Outcome)
def test_speaks_every_dialect(outcome: Outcome) -> None:
    """Two characters for ISO 8583, status and two digits for SNAP, a sentence in each language."""
    spoken = outcome.value

    assert len(spoken.de39) == 2
    assert 200 <= spoken.snap_http < 600
    assert len(spoken.snap_case) == 2
    assert spoken.snap_case.isdigit()
    assert spoken.text_id.endswith(".")
    assert spoken.text_en.endswith(".")


def test_says_success_once() -> None:
    """Only APPROVED is 00 and 200."""
    assert [Outcome.APPROVED] == [o for o in Outcome if o.de39 == "00" or o.value.snap_http == 200]


def test_fault_is_final_unless_it_says_otherwise() -> None:
    """Trouble is tried again only where its class says that this may help."""
    assert not Fault("no reason").retriable
