"""Take each safeguard out of a copy of the product: a seed must notice, as a rule the one noted."""

from pathlib import Path

import pytest

from tests.simulation.find_mutants import (
    FAILS,
    SEEDS_MAX,
    copy_product,
    put_back,
    read_mutants,
    run,
    take_out,
)

MUTANTS_MIN = 25


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that a simulation needs."""
    target = tmp_path_factory.mktemp("product") / "product"
    copy_product(target)
    return target


@pytest.mark.parametrize("name", read_mutants())
def test_is_noticed(name: str, copy: Path) -> None:
    """Red without the safeguard; the same seeds are green with it (test_simulation.py).

    One call more or less in the product makes other worlds of all seeds, so the noted seed is only
    where the search begins.
    """
    mutant = read_mutants()[name]
    take_out(copy, mutant)
    try:
        found = run(copy, mutant.seed, mutant.seed)
        if found.returncode == 0:
            found = run(copy, 1, SEEDS_MAX)
    finally:
        put_back(copy, mutant)

    assert 1 == found.returncode, f"nothing turned red: {found.stdout} {found.stderr[-500:]}"
    assert FAILS.search(found.stdout)


def test_are_many_and_early() -> None:
    """At least 25 safeguards, each noticed within the seeds that every run lives through."""
    mutants = read_mutants()

    assert len(mutants) >= MUTANTS_MIN
    assert all(1 <= mutant.seed <= 300 for mutant in mutants.values())
