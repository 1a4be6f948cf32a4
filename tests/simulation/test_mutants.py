"""Take each safeguard out of a copy of the product: the seed that is written down must notice."""

from pathlib import Path

import pytest

from tests.simulation.find_mutants import copy_product, put_back, read_mutants, run, take_out

MUTANTS_MIN = 25


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that a simulation needs."""
    target = tmp_path_factory.mktemp("product") / "product"
    copy_product(target)
    return target


@pytest.mark.parametrize("name", read_mutants())
def test_is_noticed(name: str, copy: Path) -> None:
    """Red without the safeguard; the same seed is green with it (test_simulation.py)."""
    mutant = read_mutants()[name]
    seed = mutant.seed
    take_out(copy, mutant)
    try:
        found = run(copy, seed, seed)
    finally:
        put_back(copy, mutant)

    assert 1 == found.returncode, f"nothing turned red: {found.stdout} {found.stderr[-500:]}"
    assert f"seed {seed} fails" in found.stdout


def test_are_many_and_early() -> None:
    """At least 25 safeguards, each noticed within the seeds that every run lives through."""
    mutants = read_mutants()

    assert len(mutants) >= MUTANTS_MIN
    assert all(1 <= mutant.seed <= 300 for mutant in mutants.values())
