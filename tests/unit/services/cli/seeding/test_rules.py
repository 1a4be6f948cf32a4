"""The demo data file is read once and its mistakes are one sentence."""

from pathlib import Path

import pytest

from services.cli.seeding.plan import SeedRefused
from services.cli.seeding.rules import DEMO_FILE, read_rules


class TestReadRules:
    def test_reads_what_the_wire_description_promises(self) -> None:
        """1,000 cards, 50 outlets, two products with their limits (edc.md, Demo data)."""
        rules = read_rules()
        limited = next(product for product in rules.products if product.code == "limited")

        assert (1000, 50) == (rules.cards.count, rules.outlets.count)
        assert (200_000_000, 10_000_000, 12_000_000, 3, 5_000_000) == (
            limited.ceiling_minor, limited.purchase_max_minor, limited.day_amount_minor,
            limited.day_count, limited.pin_above_minor,
        )  # fmt: skip

    def test_names_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        """The sentence holds the path."""
        with pytest.raises(SeedRefused, match=r"absent\.toml cannot be read"):
            read_rules(tmp_path / "absent.toml")

    @pytest.mark.parametrize(
        ("old", "new"),
        [("[outlets]", "[outlet]"), ("every = 10", "each = 10"), ("[cards]", "[cards")],
    )
    def test_refuses_a_file_with_a_mistake(self, tmp_path: Path, old: str, new: str) -> None:
        """A missing table, an unknown name and broken TOML are refused alike."""
        path = tmp_path / "demo.toml"
        path.write_text(DEMO_FILE.read_text().replace(old, new))

        with pytest.raises(SeedRefused, match="not as expected"):
            read_rules(path)
