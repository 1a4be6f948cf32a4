"""What every answer says to browsers and caches: keep nothing, run nothing, embed nothing."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = (
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
_OVER_TLS: Final = ("strict-transport-security", "max-age=31536000")


class SafeHeaders:
    """Adds them to every answer, also to those about trouble."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, with headers."""
        wanted = (*_ALWAYS, _OVER_TLS) if scope.get("scheme") == "https" else _ALWAYS

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with)
