"""The run's Kafka: what is told of it reaches the tests, and a lack of it is no success."""

import json
from pathlib import Path

import pytest

from tests.kafka import GIVEN, TOLD, Kafka, hold_kafka
from tests.run import Result, Ring, run_ring

NEEDS_KAFKA = """
from tests.conftest import kafka_broker

def test_a():
    assert True

def test_b(kafka_broker):
    assert kafka_broker == "broker:1"
"""


def run_with(folder: Path, told: Kafka, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Run a ring of two tests, one of which needs the Kafka that is told of."""
    monkeypatch.delenv(GIVEN, raising=False)
    (folder / "test_a.py").write_text(NEEDS_KAFKA)
    ring = Ring(name="a", seconds_max=60, tests=folder, uses_kafka=True)
    return run_ring(ring, {TOLD: json.dumps(told)})


def test_reaches_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings are processes of their own, and yet use one broker."""
    result = run_with(tmp_path, Kafka("broker:1", "one"), monkeypatch)

    assert ("passed", 2) == (result.state, result.passed)


def test_names_what_could_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Kafka its tests are left out, with the reason, and CI is red."""
    result = run_with(tmp_path, Kafka(None, "Java is not here"), monkeypatch)

    assert ("passed", 1) == (result.state, result.passed)
    assert ["no Kafka: Java is not here"] == [line.partition(": ")[2] for line in result.left_out]
    assert result.fails(strict=True)
    assert not result.fails(strict=False)


def test_fails_with_one_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All was there for a broker and it did not start: that is a defect, not a lack."""
    result = run_with(tmp_path, Kafka(None, "it died", is_broken=True), monkeypatch)

    assert result.fails(strict=False)


def test_takes_the_one_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person names comes before what the runner found."""
    monkeypatch.setenv(GIVEN, "given:9092")
    monkeypatch.setenv(TOLD, json.dumps(Kafka("told:1", "one")))

    with hold_kafka() as found:
        assert "given:9092" == found.bootstrap
        assert GIVEN in found.what
