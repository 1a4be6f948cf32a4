"""A body that does not come: over a real socket, for nobody can be slow without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from libs.web import serve_app
from services.admin.api.actions import acts
from services.admin.api.app import build_api
from tests.unit.services.admin.api.served import Switch

HOST = "127.0.0.1"
BODY_MS = 300
GUARD_S = 10

router = APIRouter()


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    no: int


@router.post("/v1/json", dependencies=[acts("outlet.add", receive_ms_max=BODY_MS)])
async def take_json(body: Body) -> JSONResponse:
    return JSONResponse({"no": body.no})


@router.post(
    "/v1/file",
    dependencies=[acts("outlet.import", media_type="text/csv", receive_ms_max=BODY_MS)],
)
async def take_file(request: Request) -> JSONResponse:
    return JSONResponse({"bytes": len(await request.body())})


@asynccontextmanager
async def begun(path: str, media_type: str, *, token: str) -> AsyncIterator[asyncio.StreamReader]:
    """Send the head of a request and half of its body."""
    app = build_api(Switch().desk(), [router])
    async with serve_app(app, host=HOST, port=0, setting="X") as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f'Content-Type: {media_type}\r\nContent-Length: 8\r\n\r\n{{"no'.encode()
        )
        async with asyncio.timeout(GUARD_S):
            yield reader
        writer.close()


class TestSlowBody:
    async def test_ends_with_the_time_of_its_route(self) -> None:
        """A sentence, and the connection is closed: the rest is not waited for."""
        for path, media_type in (("/v1/json", "application/json"), ("/v1/file", "text/csv")):
            async with begun(path, media_type, token="token-operator") as reader:
                said = await reader.read()

            assert said.startswith(b"HTTP/1.1 408")
            assert b'"TOO_SLOW"' in said

    async def test_is_not_waited_for_from_a_stranger(self) -> None:
        """Who has not signed in hears so before anything of a body is read."""
        async with begun("/v1/json", "application/json", token="nobody") as reader:
            said = await reader.readuntil(b"\r\n")

        assert said.startswith(b"HTTP/1.1 401")
