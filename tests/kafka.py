"""The one Kafka of a run of tests, held by whoever runs them; ``kafka_keeper`` brings it up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
GIVEN = "LESKO_TEST_KAFKA"
"""Names a broker, as host:port, that tests may fill with topics of their own names."""
TOLD = "LESKO_TEST_KAFKA_TOLD"
"""What the runner of the rings has found out already, as JSON."""
DIRECTORY_PREFIX = "lesko-test-kafka-"
GOODBYE_SECONDS = 40


class Kafka(NamedTuple):
    """What there is for tests; without an address ``what`` tells why there is none."""

    bootstrap: str | None
    what: str
    is_broken: bool = False  # All was there for one, and yet it does not run.


KEEPER_DIED = Kafka(None, "what should have started it ended", is_broken=True)


@contextmanager
def hold_kafka() -> Iterator[Kafka]:
    """Give the broker of this run: the one already told of, else one for as long as this lasts."""
    if given := os.environ.get(GIVEN):
        yield Kafka(given, f"the one at {given} ({GIVEN})")
        return
    if told := os.environ.get(TOLD):
        yield Kafka(*json.loads(told))
        return
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kafka_keeper"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us; then its input ends.
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        try:
            line = keeper.stdout.readline()
            yield Kafka(*json.loads(line)) if line else KEEPER_DIED
        finally:
            keeper.stdin.close()
            try:
                keeper.wait(GOODBYE_SECONDS)
            except subprocess.TimeoutExpired:
                keeper.kill()
