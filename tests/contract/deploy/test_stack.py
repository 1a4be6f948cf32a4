"""The stack of docker-compose.yml names only what exists, and is safe to leave alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.deploy import compose_rules, figure_rules, image_rules, page_rules, reach_rules
from tests.contract.deploy.planted import PLANTED, ROOT, Planted

RULES: dict[str, Callable[[Path], list[str]]] = {
    rule.__name__: rule
    for rules in (compose_rules, reach_rules, image_rules, figure_rules, page_rules)
    for rule in rules.RULES
}


@pytest.mark.parametrize("name", RULES)
def test_stack_keeps_the_rule(name: str) -> None:
    """Each rule finds nothing in this repository."""
    found = RULES[name](ROOT)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.rule}: {case.finding}")
def test_rule_finds_what_was_planted(case: Planted, tmp_path: Path) -> None:
    """A copy with one mistake is found out, by the rule that guards against it."""
    case.write(tmp_path)

    found = RULES[case.rule](tmp_path)

    assert any(each.startswith(case.finding) for each in found), found


def test_every_rule_was_seen_to_find_something() -> None:
    """A rule that nothing can break guards nothing."""
    assert set(RULES) == {case.rule for case in PLANTED}
