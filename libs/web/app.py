"""The three questions every process answers over HTTP: alive, ready, how much."""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from libs.observe.health import Health


def build_app(health: Health, registry: CollectorRegistry) -> FastAPI:
    """Make the app; without pages that describe it to strangers."""
    app = FastAPI(title="lesko", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        """Answer at all: the event loop turns."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def ready() -> JSONResponse:
        """200 when new work is welcome, else 503 with the problems by check."""
        problems = health.problems()
        status = "not ready" if problems else "ready"
        return JSONResponse(
            {"status": status, "problems": problems}, status_code=503 if problems else 200
        )

    @app.get("/metrics")
    async def figures() -> Response:
        """All figures in the text form of Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app
