"""The ladder of refusals: each rule alone, every pair of rules, and what an inquiry leaves out."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from libs.fakes.cards import a_card
from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.outcome import Outcome
from libs.registry import EntityStatus
from services.authorization.domain.asked import Asked
from services.authorization.domain.card import CardStatus
from services.authorization.domain.day import Day
from services.authorization.domain.refusal import refuse

TODAY = Day(20_781, "2611")


def an_asked(**changes: Any) -> Asked:
    """Return a request that every rule lets pass."""
    asked = Asked(
        card=a_card(),
        terminal=a_terminal(),
        outlet=an_outlet(),
        product=a_product(purchase_max_minor=100_00),
        day=TODAY,
        listener="edc",
        expiry="",
        amount=100_00,
        pin_present=False,
        is_purchase=True,
        is_registry_current=True,
    )
    return asked._replace(**changes)


def with_card(asked: Asked, **changes: Any) -> Asked:
    return asked._replace(card=asked.card._replace(**changes)) if asked.card else asked


def with_terminal(asked: Asked, **changes: Any) -> Asked:
    return asked._replace(terminal=asked.terminal._replace(**changes)) if asked.terminal else asked


def with_outlet(asked: Asked, **changes: Any) -> Asked:
    return asked._replace(outlet=asked.outlet._replace(**changes)) if asked.outlet else asked


def with_product(asked: Asked, **changes: Any) -> Asked:
    return asked._replace(product=asked.product._replace(**changes)) if asked.product else asked


def with_pin_asked(asked: Asked) -> Asked:
    return with_product(asked, asks_pin=True, pin_above_minor=asked.amount - 1)


Break = Callable[[Asked], Asked]
FAILURES: dict[str, tuple[Outcome, Break]] = {
    "terminal gone": (Outcome.TERMINAL_REFUSED, lambda asked: asked._replace(terminal=None)),
    "terminal paused": (
        Outcome.TERMINAL_REFUSED,
        lambda asked: with_terminal(asked, status=EntityStatus.PAUSED),
    ),
    "terminal closed": (
        Outcome.TERMINAL_REFUSED,
        lambda asked: with_terminal(asked, status=EntityStatus.CLOSED),
    ),
    "other listener": (
        Outcome.TERMINAL_REFUSED,
        lambda asked: with_terminal(asked, listener="edc-2"),
    ),
    "other outlet": (
        Outcome.TERMINAL_REFUSED,
        lambda asked: with_terminal(asked, outlet="BUMA00000000002"),
    ),
    "outlet unknown": (Outcome.ACCEPTOR_UNKNOWN, lambda asked: asked._replace(outlet=None)),
    "outlet paused": (
        Outcome.ACCEPTOR_UNKNOWN,
        lambda asked: with_outlet(asked, status=EntityStatus.PAUSED),
    ),
    "outlet closed": (
        Outcome.ACCEPTOR_UNKNOWN,
        lambda asked: with_outlet(asked, status=EntityStatus.CLOSED),
    ),
    "card unknown": (
        Outcome.CARD_UNKNOWN,
        lambda asked: asked._replace(card=None, product=None),
    ),
    "lost": (Outcome.CARD_LOST, lambda asked: with_card(asked, status=CardStatus.LOST)),
    "stolen": (Outcome.CARD_STOLEN, lambda asked: with_card(asked, status=CardStatus.STOLEN)),
    "blocked": (Outcome.CARD_BLOCKED, lambda asked: with_card(asked, status=CardStatus.BLOCKED)),
    "closed": (Outcome.CARD_BLOCKED, lambda asked: with_card(asked, status=CardStatus.CLOSED)),
    "inactive": (
        Outcome.CARD_INACTIVE,
        lambda asked: with_card(asked, status=CardStatus.INACTIVE),
    ),
    "expired": (Outcome.CARD_EXPIRED, lambda asked: with_card(asked, expiry="2610")),
    "other expiry": (Outcome.CARD_EXPIRED, lambda asked: asked._replace(expiry="3011")),
    "no pin": (Outcome.PIN_INVALID, with_pin_asked),
    "pin tries": (
        Outcome.PIN_TRIES_EXCEEDED,
        lambda asked: with_pin_asked(with_card(asked, pin_tries=3)._replace(pin_present=True)),
    ),
    "no product": (Outcome.NOT_PERMITTED, lambda asked: asked._replace(product=None)),
    "product paused": (
        Outcome.NOT_PERMITTED,
        lambda asked: with_product(asked, status=EntityStatus.PAUSED),
    ),
    "other group": (
        Outcome.NOT_PERMITTED,
        lambda asked: with_product(asked, outlet_groups=frozenset({"odd"})),
    ),
    "too much": (
        Outcome.AMOUNT_LIMIT,
        lambda asked: with_product(asked, purchase_max_minor=asked.amount - 1),
    ),
    "stale registry": (
        Outcome.COULD_NOT_PROCESS,
        lambda asked: asked._replace(is_registry_current=False),
    ),
}
CANNOT_BOTH_BE = [
    {"other outlet", "outlet unknown"},  # Only a known outlet can be the wrong one: see below.
    {"no pin", "no product"},  # No product, nobody who asks for a PIN.
    {"pin tries", "no product"},
    {"no pin", "pin tries"},  # A missing PIN is no try.
    *[
        {one, other}
        for one, other in combinations(("lost", "stolen", "blocked", "closed", "inactive"), 2)
    ],
]
PAIRS = [pair for pair in combinations(FAILURES, 2) if set(pair) not in CANNOT_BOTH_BE]
AMOUNT_RULES = {"no pin", "pin tries", "too much", "stale registry"}


def test_table_stands_in_the_order_of_the_catalogue() -> None:
    """The rows of this table are in the catalogue's order, which is the law's."""
    order = list(Outcome)
    places = [order.index(outcome) for outcome, _ in FAILURES.values()]

    assert sorted(places) == places


class TestRefuse:
    def test_lets_pass_what_breaks_no_rule(self) -> None:
        """Active card, terminal and outlet, an amount at the limit: the ledger decides."""
        assert refuse(an_asked()) is None

    @pytest.mark.parametrize("name", FAILURES)
    def test_refuses_each_failure(self, name: str) -> None:
        """Every rule alone refuses with its own outcome."""
        outcome, break_rule = FAILURES[name]

        assert outcome is refuse(break_rule(an_asked()))

    @pytest.mark.parametrize(("first", "second"), PAIRS)
    def test_names_the_first_of_two_failures(self, first: str, second: str) -> None:
        """Of two rules that fail at once the earlier one is what the terminal hears."""
        outcome, break_first = FAILURES[first]
        _, break_second = FAILURES[second]

        assert outcome is refuse(break_first(break_second(an_asked())))

    def test_calls_an_outlet_that_does_not_exist_unknown(self) -> None:
        """An outlet that does not exist is 03 although it is not this terminal's either."""
        asked = with_terminal(an_asked(), outlet="BUMA00000000002")._replace(outlet=None)

        assert Outcome.ACCEPTOR_UNKNOWN is refuse(asked)

    @pytest.mark.parametrize(
        ("expiry", "expected"),
        [("2610", Outcome.CARD_EXPIRED), ("2611", None), ("2612", None), ("2512", "expired")],
    )
    def test_lets_a_card_live_to_the_end_of_its_month(
        self, expiry: str, expected: Outcome | str | None
    ) -> None:
        """A card is good through the month on it."""
        found = refuse(with_card(an_asked(), expiry=expiry))

        assert (Outcome.CARD_EXPIRED if expected else None) is found

    def test_accepts_the_expiry_that_the_card_has(self) -> None:
        """DE14 that agrees is no trouble."""
        assert refuse(an_asked(expiry="3012")) is None

    @pytest.mark.parametrize(("above", "expected"), [(99_99, Outcome.PIN_INVALID), (100_00, None)])
    def test_asks_for_a_pin_above_the_amount_only(
        self, above: int, expected: Outcome | None
    ) -> None:
        """At the amount itself no PIN is needed, one sen more needs it."""
        asked = with_product(an_asked(), asks_pin=True, pin_above_minor=above)

        assert expected is refuse(asked)

    def test_takes_no_pin_for_right_while_none_can_be_verified(self) -> None:
        """A PIN block that nobody can verify is answered 55."""
        asked = with_pin_asked(an_asked(pin_present=True))

        assert Outcome.PIN_INVALID is refuse(asked)

    def test_counts_a_missing_pin_as_no_try(self) -> None:
        """After three wrong PINs a message without one is still 55, not 75."""
        asked = with_pin_asked(with_card(an_asked(), pin_tries=3))

        assert Outcome.PIN_INVALID is refuse(asked)

    def test_knows_no_limit_of_zero(self) -> None:
        """A maximum of 0 means none."""
        asked = with_product(an_asked(amount=10**12), purchase_max_minor=0)

        assert refuse(asked) is None

    def test_allows_a_product_in_one_of_its_groups(self) -> None:
        """One common group is enough."""
        asked = with_product(an_asked(), outlet_groups=frozenset({"even", "odd"}))

        assert refuse(asked) is None


class TestInquiry:
    @pytest.mark.parametrize("name", FAILURES)
    def test_passes_over_the_rules_about_amounts_only(self, name: str) -> None:
        """An inquiry hears every refusal of a purchase but those about amounts and new money."""
        outcome, break_rule = FAILURES[name]
        expected = None if name in AMOUNT_RULES else outcome

        assert expected is refuse(break_rule(an_asked(is_purchase=False)))
