"""uvicorn as a guest in our event loop: it opens a port, serves, and leaves signals alone."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from libs.observe.health import Health
from libs.observe.metrics import HealthFigures
from libs.outcome import Fault
from libs.web.app import build_app
from libs.web.patience import patient_protocol

_STOP_S: Final = 2
_BACKLOG: Final = 128
_KEEP_ALIVE_S: Final = 15
_HEAD_MS_MAX: Final = 10_000
_CONNECTIONS_MAX: Final = 256


class PortTaken(Fault):
    """The address cannot be listened on; the text names it and the setting that moves it."""


class Tls(NamedTuple):
    """PEM files of a server's certificate (with its chain) and key."""

    certificate: Path
    key: Path


class _Guest(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGINT and SIGTERM to main."""
        yield


@asynccontextmanager
async def serve_health(
    health: Health,
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    setting: str = "LESKO_WEB__PORT",
) -> AsyncIterator[int]:
    """Serve /healthz, /readyz and /metrics while the block runs; yields the port, see serve_app.

    The registry shows the checks meanwhile, of one Health at a time.
    """
    app = build_app(health, registry)
    figures = HealthFigures(health)
    registry.register(figures)
    try:
        async with serve_app(app, host=host, port=port, setting=setting) as bound:
            yield bound
    finally:
        registry.unregister(figures)


@asynccontextmanager
async def serve_app(
    app: FastAPI,
    *,
    host: str,
    port: int,
    setting: str,
    tls: Tls | None = None,
    head_ms_max: int = _HEAD_MS_MAX,
    connections_max: int = _CONNECTIONS_MAX,
) -> AsyncIterator[int]:
    """Serve an app in this event loop while the block runs; yields the port (0 asks for any).

    With ``tls`` nothing is served in clear. A request's head has ``head_ms_max`` to arrive, and
    who comes when there are ``connections_max`` hears 503. Raises PortTaken before anything is
    served. Leaving ends open requests after two seconds.
    """
    listener = _listen(host, port, setting)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        limit_concurrency=connections_max,
        http=patient_protocol(head_ms_max),
        **_ssl(tls),
    )
    server = _Guest(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 -- uvicorn has no event
            await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _ssl(tls: Tls | None) -> dict[str, Any]:
    return {} if tls is None else {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as cause:
        listener.close()
        why = "is in use" if cause.errno == errno.EADDRINUSE else "cannot be listened on"
        advice = f"stop the other program or choose another one with {setting}"
        raise PortTaken(f"port {port} on {host} {why}; {advice}") from cause
    listener.settimeout(0)
    return listener
