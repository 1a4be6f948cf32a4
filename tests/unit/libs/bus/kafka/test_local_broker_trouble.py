"""Java's and Maven's last words become one sentence that helps."""

import pytest

from libs.bus.kafka.local_broker_trouble import explain


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("java.net.BindException: Address already in use\n\tat sun.nio", "port is taken"),
        ("KafkaException: Failed to acquire lock on file .lock in data", "another broker uses"),
        ("Caused by: java.lang.UnsupportedClassVersionError: kafka/Kafka", "Java 17 or newer"),
        ("Could not reserve enough space for 524288KB object heap", "not enough memory"),
        ("Error: Could not find or load main class kafka.Kafka", "fetched again"),
        ("write failed: No space left on device", "disk is full"),
        ("RuntimeException: Invalid cluster.id; InconsistentClusterIdException", "damaged"),
        ("[ERROR] No plugin found for prefix 'dependency' in the", "needs a network"),
        ("The JAVA_HOME environment variable is not defined correctly", "JAVA_HOME names no"),
        ("12:00 ERROR Server Exiting Kafka due to fatal exception.", "Exiting Kafka due to fatal"),
        ("first\nlast line.\n", "last line."),
        ("", "says nothing"),
    ],
)
def test_explains(output: str, sentence: str) -> None:
    """The first known cause speaks, else the last word of the program."""
    said = explain(output)

    assert sentence in said
    assert "\n" not in said
    assert said.endswith(".")
