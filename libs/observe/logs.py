"""JSON lines on one stream for our own events and for those of libraries; no file, no network."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, TextIO

import structlog

from libs.observe.redaction import redact
from libs.observe.trouble import place_of

_QUIET: Final = ("aiokafka", "asyncio", "uvicorn")  # Their INFO is noise to an operator.


def configure_logs(*, service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard logging to ``stream`` (stdout) as JSON lines.

    Call once, in main. Each line has ts (UTC), level, service and event. Redaction comes last, so
    nothing added before it escapes; exceptions are written as class and place, never as text.
    """
    out = stream if stream is not None else sys.stdout
    number = logging.getLevelNamesMapping()[level.upper()]

    def add_service(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        event["service"] = service
        return event

    before: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]
    after: list[structlog.types.Processor] = [
        exception_class,
        redaction,
        structlog.processors.JSONRenderer(ensure_ascii=True),
    ]
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = _PlainHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    _take_over_standard_logging(handler, number)


def _take_over_standard_logging(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def exception_class(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its class and the line that raised it."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["fault"] = type(found).__name__
        event["at"] = place_of(found)
    return event


def redaction(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Let nothing through that may be card data; the last step before writing."""
    return {name: redact(name, value) for name, value in event.items()}


class _PlainHandler(logging.StreamHandler[TextIO]):
    """Writes of a library's record only what is surely plain.

    Arguments that are objects become their class (they may be frames), of a text only the first
    line stays (asyncio puts the arguments of callbacks into the others).
    """

    def emit(self, record: logging.LogRecord) -> None:
        bare = logging.makeLogRecord(record.__dict__)
        bare.msg = _plain_message(record)
        bare.args = ()
        super().emit(bare)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the base class's name
        """Stay silent: the base class would print the record's arguments."""


def _plain_message(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return f"<{type(record.msg).__name__}>"
    text = record.msg
    if isinstance(record.args, tuple) and record.args:
        plain = (
            a if isinstance(a, (int, float, str)) else f"<{type(a).__name__}>" for a in record.args
        )
        with suppress(TypeError, ValueError):  # Then the template alone.
            text = text % tuple(plain)
    return text.splitlines()[0] if text else ""
