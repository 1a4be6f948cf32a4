"""Edits of products: dated sets, none in the past, closed for ever."""

from datetime import date

import pytest

from libs.clock import day_number
from libs.fakes.registry import a_group, a_product
from libs.registry import EntityStatus, Product
from services.admin.domain.act import Json
from services.admin.domain.product import edit_product, show_product, status_of
from services.admin.domain.refusal import Refusal, Refused

TODAY = day_number(date(2026, 11, 25))
TOMORROW = "2026-11-26"
CLOSED, PAUSED = EntityStatus.CLOSED, EntityStatus.PAUSED
GROUPS = {"even": a_group("even")}


def a_set(from_day: int = 0, *, status: EntityStatus = EntityStatus.ACTIVE) -> Product:
    """Return a set with a ceiling."""
    return a_product(in_force_from=from_day, status=status)._replace(ceiling_minor=1_000)


def edited(verb: str, *sets: Product, **content: Json) -> list[Product] | Refused:
    found = edit_product(verb, "standard", content, sets=sets, today=TODAY, groups=GROUPS)
    return found if isinstance(found, Refused) else list(found)


def why(found: object) -> Refusal:
    assert isinstance(found, Refused)
    return found.why


class TestSet:
    def test_adds_a_product(self) -> None:
        """Its first set begins today where no day is said; what is not said is no limit."""
        expected = a_set(TODAY)._replace(outlet_groups=frozenset({"even"}), day_count=3)

        assert [expected] == edited("add", ceiling_minor=1_000, groups=["even"], day_count=3)

    @pytest.mark.parametrize("sets", [(a_set(),), (a_set(status=CLOSED),)])
    def test_adds_a_product_once(self, sets: tuple[Product, ...]) -> None:
        """Its code is not used again."""
        assert Refusal.EXISTS is why(edited("add", *sets, ceiling_minor=1))

    def test_goes_on_from_what_holds_on_that_day(self) -> None:
        """A new set keeps what is not said of the one that it follows."""
        before = a_set(0)._replace(purchase_max_minor=5, asks_pin=True)
        later = a_set(TODAY + 30)._replace(purchase_max_minor=9)

        found = edited("set", before, later, in_force_from=TOMORROW, day_count=2)

        assert [before._replace(in_force_from=TODAY + 1, day_count=2)] == found

    def test_replaces_a_set_of_the_same_day(self) -> None:
        """A correction before the day is a new version of that set."""
        found = edited("set", a_set(0), a_set(TODAY + 1), in_force_from=TOMORROW, day_count=2)

        assert [a_set(TODAY + 1)._replace(day_count=2)] == found

    @pytest.mark.parametrize(
        ("day", "is_allowed"),
        [("2026-11-24", False), ("2026-11-25", True), ("2026-13-01", False), ("2300-01-01", False)],
    )
    def test_is_not_before_today(self, day: str, *, is_allowed: bool) -> None:
        """What was in force cannot be rewritten; today can be."""
        found = edited("set", a_set(), in_force_from=day, day_count=1)

        assert is_allowed is not isinstance(found, Refused)

    @pytest.mark.parametrize(
        "content",
        [
            {"ceiling_minor": 0},
            {"ceiling_minor": 10**15 + 1},
            {"purchase_max_minor": -1},
            {"day_count": 1_000_001},
            {"day_amount_minor": 5, "month_amount_minor": 4},
            {"day_count": 5, "month_count": 4},
            {"pin_above_minor": 1},
            {"groups": ["nobody"]},
        ],
    )
    def test_refuses_parameters(self, content: dict[str, Json]) -> None:
        """No ceiling, amounts out of any range, limits that contradict one another."""
        assert Refusal.NOT_ALLOWED is why(edited("set", a_set(), **content))

    def test_stays_paused(self) -> None:
        """A new set does not lift a pause on its day."""
        found = edited("set", a_set(status=PAUSED), in_force_from=TOMORROW, day_count=1)

        assert isinstance(found, list)
        assert PAUSED is found[0].status


class TestState:
    def test_concerns_every_set(self) -> None:
        """Pausing and closing leave out none that could come to force later, or again."""
        sets = (a_set(0), a_set(TODAY), a_set(TODAY + 9), a_set(TODAY + 20, status=CLOSED))

        for verb, status in (("pause", PAUSED), ("close", CLOSED)):
            found = edited(verb, *sets)
            assert isinstance(found, list)
            assert [(one, status) for one in (0, TODAY, TODAY + 9)] == [
                (one.in_force_from, one.status) for one in found
            ]

    @pytest.mark.parametrize("verb", ["set", "pause", "resume", "close"])
    def test_is_closed_for_ever(self, verb: str) -> None:
        """Whatever is asked of a closed product is refused."""
        assert Refusal.WRONG_STATE is why(edited(verb, a_set(status=CLOSED), day_count=1))

    @pytest.mark.parametrize("verb", ["set", "pause", "resume", "close"])
    def test_must_be_there(self, verb: str) -> None:
        """Nothing can be done to a product that nobody added."""
        assert Refusal.UNKNOWN is why(edited(verb, day_count=1))

    def test_withdraws_a_set_before_its_day(self) -> None:
        """The one before it goes on."""
        found = edited("close", a_set(0), a_set(TODAY + 1), in_force_from=TOMORROW)

        assert [a_set(TODAY + 1, status=CLOSED)] == found

    @pytest.mark.parametrize(
        ("sets", "day", "expected"),
        [
            ((a_set(0), a_set(TODAY)), "2026-11-25", Refusal.WRONG_STATE),
            ((a_set(0),), TOMORROW, Refusal.UNKNOWN),
            ((a_set(TODAY + 1),), TOMORROW, Refusal.WRONG_STATE),
            ((a_set(0), a_set(5), a_set(TODAY + 1, status=CLOSED)), TOMORROW, Refusal.WRONG_STATE),
        ],
    )
    def test_withdraws_no_other(
        self, sets: tuple[Product, ...], day: str, expected: Refusal
    ) -> None:
        """Not one in force, not one that is not there, not the last one, not one twice."""
        assert expected is why(edited("close", *sets, in_force_from=day))

    def test_is_that_of_its_sets(self) -> None:
        """Closed with the last one, paused if any is."""
        assert [EntityStatus.ACTIVE, PAUSED, CLOSED] == [
            status_of([a_set(), a_set(1, status=CLOSED)]),
            status_of([a_set(), a_set(1, status=PAUSED)]),
            status_of([a_set(status=CLOSED)]),
        ]


def test_is_shown_by_day() -> None:
    """People see every set by its day, and which one holds today."""
    shown = show_product("standard", [a_set(TODAY + 1), a_set(TODAY)], today=TODAY)

    assert ("2026-11-25", "active") == (shown["in_force_from"], shown["status"])
    sets = shown["sets"]
    assert isinstance(sets, list)
    assert ["2026-11-25", TOMORROW] == [
        one["in_force_from"] for one in sets if isinstance(one, dict)
    ]
