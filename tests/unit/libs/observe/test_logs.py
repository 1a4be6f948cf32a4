"""Logs are JSON lines without card data, also those of libraries."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.observe import configure_logs

PAN = "4000001234567899"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs(service="iso_bridge", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    raise ValueError("secret text")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestConfigureLogs:
    def test_writes_a_json_line(self, stream: io.StringIO) -> None:
        """Time in UTC, level, service, event and what was given."""
        structlog.get_logger("any").info("started", port=8583)

        (line,) = lines(stream)
        assert line.pop("ts").endswith("Z")
        assert {"level": "info", "service": "iso_bridge", "event": "started", "port": 8583} == line

    def test_keeps_below_its_level_silent(self, stream: io.StringIO) -> None:
        """DEBUG is not written at INFO, neither ours nor a library's."""
        structlog.get_logger().debug("detail")
        logging.getLogger("some.library").debug("detail")

        assert [] == lines(stream)

    def test_masks_wherever_a_card_number_is(self, stream: io.StringIO) -> None:
        """In the event, in a value, in a nested one, in what the context carries."""
        with structlog.contextvars.bound_contextvars(where=PAN):
            structlog.get_logger().info(f"saw {PAN}", found=PAN, inside=[PAN])

        assert 1 == len(lines(stream))
        assert PAN not in stream.getvalue()

    def test_writes_an_exception_as_class_and_place(self, stream: io.StringIO) -> None:
        """The text of an exception may be the frame; its class and line are enough."""
        try:
            fail()
        except ValueError:
            structlog.get_logger().exception("failed")

        (line,) = lines(stream)
        assert "ValueError" == line["fault"]
        assert "test_logs.py" in line["at"]
        assert "secret text" not in stream.getvalue()

    def test_takes_lines_of_libraries_along(self, stream: io.StringIO) -> None:
        """The standard logging comes out the same way, with the library's name."""
        logging.getLogger("some.library").warning("broker %s has %d partitions", "a:1", 3)

        (line,) = lines(stream)
        assert "broker a:1 has 3 partitions" == line["event"]
        assert ("some.library", "warning") == (line["logger"], line["level"])

    def test_writes_no_object_of_a_library(self, stream: io.StringIO) -> None:
        """Arguments that are objects or bytes become their class, exceptions too."""
        try:
            fail()
        except ValueError as fault:
            logging.getLogger("lib").log(
                logging.ERROR, "got %s and %r", b"secret text", fault, exc_info=fault
            )
        logging.getLogger("lib").error(ValueError("secret text"))

        first, second = lines(stream)
        assert "got <bytes> and '<ValueError>'" == first["event"]
        assert "ValueError" == first["fault"]
        assert "<ValueError>" == second["event"]
        assert "secret text" not in stream.getvalue()

    def test_writes_the_first_line_of_a_library_s_text_only(self, stream: io.StringIO) -> None:
        """More lines of asyncio hold the arguments of callbacks, which may be frames."""
        logging.getLogger("asyncio").error(
            "Task exception was never retrieved\nfuture: secret text"
        )

        (line,) = lines(stream)
        assert "Task exception was never retrieved" == line["event"]

    def test_survives_a_template_that_does_not_fit(self, stream: io.StringIO) -> None:
        """A library's wrong format costs its arguments, not the line, and prints nothing else."""
        record = logging.makeLogRecord({"msg": "%d things", "args": ("x",), "name": "lib"})
        for handler in logging.getLogger().handlers:
            # The test tool's own handler takes such a record for a defect.
            if handler.formatter and "structlog" in type(handler.formatter).__module__:
                handler.handle(record)

        assert ["%d things"] == [line["event"] for line in lines(stream)]
