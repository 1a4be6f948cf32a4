"""Read the demo data file into rules; a mistake in it becomes one sentence."""

import tomllib
from pathlib import Path
from typing import Any

from services.cli.seeding.plan import (
    CardRules,
    DemoRules,
    OutletRules,
    ProductRules,
    ProgrammeRules,
    PurseRule,
    SeedRefused,
    SpecialCards,
)

DEMO_FILE = Path(__file__).resolve().parents[3] / "deploy" / "seed" / "demo.toml"


def read_rules(path: Path = DEMO_FILE) -> DemoRules:
    """Read and shape the file; raises SeedRefused when it is absent or misformed."""
    try:
        data = tomllib.loads(path.read_text())
        return _rules(data)
    except OSError as problem:
        message = f"The demo data file {path} cannot be read: {problem.strerror}."
        raise SeedRefused(message) from problem
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        message = f"The demo data file {path} is not as expected: {problem}."
        raise SeedRefused(message) from problem


def _rules(data: dict[str, Any]) -> DemoRules:
    cards = dict(data["cards"])
    special = tuple(SpecialCards(**each) for each in cards.pop("special", ()))
    return DemoRules(
        cards=CardRules(**cards, special=special),
        purses=tuple(PurseRule(**each) for each in data["purses"]),
        outlets=OutletRules(**data["outlets"]),
        products=tuple(ProductRules(**each) for each in data["products"]),
        programmes=tuple(_programme(each) for each in data["programmes"]),
    )


def _programme(each: dict[str, Any]) -> ProgrammeRules:
    return ProgrammeRules(
        number=each["number"],
        name=each["name"],
        outlet_groups=tuple(each["outlet_groups"]),
        goods_classes=tuple(each["goods_classes"]),
    )
