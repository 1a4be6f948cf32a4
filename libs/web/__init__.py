"""The FastAPI shell: health, readiness and figures over HTTP; no route of any service."""

from libs.web.app import build_app
from libs.web.server import PortTaken, Tls, serve_app, serve_health

__all__ = ["PortTaken", "Tls", "build_app", "serve_app", "serve_health"]
