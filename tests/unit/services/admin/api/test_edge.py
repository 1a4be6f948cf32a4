"""What a request passes before its route: denied by default, checked, and answered in one shape."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from libs.pg import CommitUnknown, StoreBroken, StoreUnavailable
from services.admin.api.actions import UndeclaredRoute, acts, open_to_all, signed_in
from services.admin.api.app import build_api
from services.admin.api.caller import Signed
from services.admin.domain.role import Caller, Role
from tests.unit.services.admin.api.served import Switch, open_client, signed

router = APIRouter()
SECRET = "4000001234567899"
ADDED = {"name": "Kios", "items": [{"no": 1}]}


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    no: int


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    items: list[Item]


@router.post("/v1/things", dependencies=[acts("outlet.add", body_bytes_max=1_000)])
async def add(caller: Signed, body: Body) -> JSONResponse:
    return JSONResponse({"login": caller.login, "name": body.name})


@router.get("/v1/things", dependencies=[acts("registry.show")])
async def look(after: str = "", rows_max: int = 1) -> JSONResponse:
    return JSONResponse({"after": after, "rows_max": rows_max})


@router.get("/v1/things/{code}", dependencies=[acts("registry.show")])
async def show(code: str) -> JSONResponse:
    return JSONResponse({"code": code})


@router.post(
    "/v1/file", dependencies=[acts("outlet.import", body_bytes_max=100, media_type="text/csv")]
)
async def take(request: Request) -> JSONResponse:
    return JSONResponse({"bytes": len(await request.body())})


@router.post("/v1/door", dependencies=[open_to_all()])
async def enter(body: Item) -> JSONResponse:
    return JSONResponse({"no": body.no})


@router.post("/v1/own", dependencies=[signed_in()])
async def own(caller: Signed) -> JSONResponse:
    return JSONResponse({"login": caller.login})


@router.get("/v1/broken/{how}", dependencies=[acts("registry.show")])
async def break_(how: str) -> JSONResponse:
    faults: dict[str, Exception] = {
        "away": StoreUnavailable(SECRET),
        "lost": CommitUnknown(SECRET),
        "wrong": StoreBroken(SECRET),
        "ours": KeyError(SECRET),
    }
    raise faults[how]


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
async def client(switch: Switch) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(switch, [router]) as opened:
        yield opened


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an error; every error has one shape."""
    found: dict[str, Any] = answer.json()
    assert {"error"} == found.keys()
    assert {"code", "id", "en"} <= found["error"].keys()
    return answer.status_code, found["error"]["code"]


OPERATOR = signed(Role.OPERATOR)
DENIED = (401, "NOT_SIGNED_IN")


class TestPeople:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/things"),
            ("GET", "/v1/things"),
            ("PUT", "/v1/things"),
            ("GET", "/v1/nothing"),
            ("GET", "/"),
            ("GET", "/docs"),
            ("GET", "/openapi.json"),
            ("GET", "/v1/door"),
            ("GET", "/v1/things/"),
            ("OPTIONS", "/v1/things"),
            ("BREW", "/v1/things"),
        ],
    )
    async def test_hear_one_and_the_same_who_are_not_signed_in(
        self, client: httpx.AsyncClient, method: str, path: str
    ) -> None:
        """Whether the address is served or not: a stranger learns nothing of it."""
        assert DENIED == code_of(await client.request(method, path))

    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": "Bearer"},
            {"authorization": "Bearer nobody"},
            {"authorization": "Basic token-operator"},
            {"authorization": "token-operator"},
            {"authorization": "Bearer " + "x" * 10_000},
            {"authorization": "Bearer caf\u00e9"},
            {"cookie": "token=token-operator"},
        ],
    )
    async def test_are_not_believed_without_a_token(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        """Of this form, and known."""
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

        assert DENIED == code_of(await client.get("/v1/things", headers=encoded))

    async def test_send_headers_of_a_usual_size(self, client: httpx.AsyncClient) -> None:
        """Nothing of a hundred kilobytes is read as one."""
        answer = await client.get("/v1/things", headers={**OPERATOR, "x-a": "a" * 100_000})

        assert (400, "MALFORMED") == code_of(answer)

    async def test_are_not_believed_with_two_tokens(self, client: httpx.AsyncClient) -> None:
        """Which one a part behind us would take is anybody's guess."""
        twice = [("authorization", "Bearer token-operator")] * 2

        assert DENIED == code_of(await client.get("/v1/things", headers=twice))

    async def test_are_looked_up_for_each_request(
        self, client: httpx.AsyncClient, switch: Switch
    ) -> None:
        """A session that is over is over at once."""
        before = await client.get("/v1/things", headers=OPERATOR)
        switch.callers._callers = {}
        after = await client.get("/v1/things", headers=OPERATOR)

        assert 200 == before.status_code
        assert DENIED == code_of(after)

    async def test_may_be_unknown_at_an_open_door(self, client: httpx.AsyncClient) -> None:
        """Signing in needs no session; what concerns a session does."""
        assert 200 == (await client.post("/v1/door", json={"no": 1})).status_code
        assert DENIED == code_of(await client.post("/v1/own"))
        answer = await client.post("/v1/own", headers=signed(Role.AUDITOR))
        assert {"login": f"operator{Role.AUDITOR.value}"} == answer.json()

    async def test_hear_when_nobody_can_look_them_up(self, switch: Switch) -> None:
        """The database away is trouble, and no reason to let anybody in."""

        class Away:
            async def find(self, token: str) -> Caller | None:
                raise StoreUnavailable(token)

        switch.callers = Away()  # type: ignore[assignment]  # Of the same port.
        async with open_client(switch, [router]) as client:
            answer = await client.get("/v1/things", headers=OPERATOR)

        assert (503, "UNAVAILABLE") == code_of(answer)
        assert "token-operator" not in answer.text


class TestRole:
    async def test_is_asked_before_the_body_is_read(
        self, client: httpx.AsyncClient, switch: Switch
    ) -> None:
        """And whoever tried is noted, with the route's name and nothing of what was sent."""
        answer = await client.post(
            "/v1/things", headers=signed(Role.AUDITOR), content=SECRET.encode()
        )

        assert (403, "NOT_YOUR_ROLE") == code_of(answer)
        [row] = switch.tables.audit
        assert ("outlet.add", "POST /v1/things", "refused") == (row.action, row.entity, row.result)
        assert SECRET not in row.content

    async def test_lets_who_may_pass(self, client: httpx.AsyncClient, switch: Switch) -> None:
        """Without a row: what they do writes its own."""
        answer = await client.post("/v1/things", headers=OPERATOR, json=ADDED)

        assert {"login": f"operator{Role.OPERATOR.value}", "name": "Kios"} == answer.json()
        assert [] == switch.tables.audit


class TestAddress:
    async def test_that_is_not_served_is_not_served(self, client: httpx.AsyncClient) -> None:
        """Nor by another method, nor with a slash more."""
        assert (404, "NO_ROUTE") == code_of(await client.get("/v1/x", headers=OPERATOR))
        assert (404, "NO_ROUTE") == code_of(await client.get("/docs", headers=OPERATOR))
        assert (404, "NO_ROUTE") == code_of(await client.get("/openapi.json", headers=OPERATOR))
        assert (404, "NO_ROUTE") == code_of(await client.get("/v1/things/", headers=OPERATOR))
        assert (405, "WRONG_METHOD") == code_of(
            await client.request("PUT", "/v1/things", headers=OPERATOR)
        )

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/things/%00",
            "/v1/things/a%1bb",
            "/v1/things?after=%00",
            "/v1/things?after=%ff%fe",
            "/v1/things?" + "&".join(f"a{no}=1" for no in range(100)),
            "/v1/things/" + "x" * 5_000,
        ],
    )
    async def test_holds_nothing_that_a_database_refuses(
        self, client: httpx.AsyncClient, path: str
    ) -> None:
        """Neither in its path nor in its query."""
        assert (400, "MALFORMED") == code_of(await client.get(path, headers=OPERATOR))

    @pytest.mark.parametrize("query", ["befor=1", "after=a&after=b", "after=a&x=", "%61fter2=1"])
    async def test_holds_no_parameter_that_is_unknown_or_twice(
        self, client: httpx.AsyncClient, query: str
    ) -> None:
        """A typing mistake would else look like an answer to the question."""
        answer = await client.get(f"/v1/things?{query}", headers=OPERATOR)

        assert (422, "INVALID") == code_of(answer)
        assert "after, rows_max" in answer.json()["error"]["detail"]

    async def test_may_hold_the_known_ones(self, client: httpx.AsyncClient) -> None:
        """Each once."""
        answer = await client.get("/v1/things?after=a%20b&rows_max=7", headers=OPERATOR)

        assert {"after": "a b", "rows_max": 7} == answer.json()


class TestBody:
    @pytest.mark.parametrize(
        "text",
        [
            '{"name":"a","name":"b","items":[]}',
            '{"name":"a\\u0000","items":[]}',
            '{"name":"a","items":[{"no":1.0}]}',
            '{"name":"a","items":[{"no":NaN}]}',
            '{"name":"a","items":' + "[" * 40 + "]" * 40 + "}",
            "{",
        ],
    )
    async def test_is_json_as_we_take_it(self, client: httpx.AsyncClient, text: str) -> None:
        """Refused before the route's model sees it."""
        headers = {**OPERATOR, "content-type": "application/json"}

        answer = await client.post("/v1/things", headers=headers, content=text.encode())

        assert (400, "MALFORMED") == code_of(answer)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": "a", "items": [], "more": 1}, "body.more: extra_forbidden"),
            ({"name": "a", "items": [{"no": "1"}]}, "body.items.0.no: int_type"),
            ({"name": "a", "items": [{"no": True}]}, "body.items.0.no: int_type"),
            ({"name": 1, "items": []}, "body.name: string_type"),
            ({"name": "a"}, "body.items: missing"),
            ({"name": "a", "items": [], SECRET + "!": 1}, "body.?: extra_forbidden"),
        ],
    )
    async def test_has_the_route_s_form(
        self, client: httpx.AsyncClient, body: dict[str, Any], field: str
    ) -> None:
        """Fields are named, what they hold is not repeated."""
        answer = await client.post("/v1/things", headers=OPERATOR, json=body)

        assert (422, "INVALID") == code_of(answer)
        assert [field] == answer.json()["error"]["fields"]
        assert SECRET not in answer.text

    @pytest.mark.parametrize(
        "content_type",
        ["", "text/plain", "application/x-www-form-urlencoded", "application/json;charset=latin-1"],
    )
    async def test_says_what_it_is(self, client: httpx.AsyncClient, content_type: str) -> None:
        """JSON in UTF-8."""
        headers = {**OPERATOR, "content-type": content_type}

        answer = await client.post("/v1/things", headers=headers, content=b"{}")

        assert (415, "WRONG_TYPE") == code_of(answer)

    async def test_is_not_compressed(self, client: httpx.AsyncClient) -> None:
        """A small one could become a large one."""
        headers = {**OPERATOR, "content-encoding": "gzip"}

        answer = await client.post("/v1/things", headers=headers, json={})

        assert (415, "WRONG_TYPE") == code_of(answer)

    async def test_is_no_larger_than_its_route_takes(self, client: httpx.AsyncClient) -> None:
        """By what it says of itself, and by what really comes."""
        headers = {**OPERATOR, "content-type": "application/json"}

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(1_000):
                yield b" " * 100

        announced = await client.post("/v1/things", headers=headers, content=b" " * 1_001)
        streamed = await client.post("/v1/things", headers=headers, content=parts())

        assert (413, "TOO_LARGE") == code_of(announced)
        assert (413, "TOO_LARGE") == code_of(streamed)
        assert "close" == streamed.headers["connection"]

    async def test_of_a_file_is_counted_while_it_is_read(self, client: httpx.AsyncClient) -> None:
        """Another type than JSON is not read by the edge."""
        headers = {**OPERATOR, "content-type": "text/csv"}

        async def parts(count: int) -> AsyncIterator[bytes]:
            for _ in range(count):
                yield b"x" * 10

        fits = await client.post("/v1/file", headers=headers, content=parts(10))
        large = await client.post("/v1/file", headers=headers, content=parts(11))
        other = await client.post("/v1/file", headers=OPERATOR, json={})

        assert {"bytes": 100} == fits.json()
        assert (413, "TOO_LARGE") == code_of(large)
        assert (415, "WRONG_TYPE") == code_of(other)

    async def test_is_not_taken_where_none_is_needed(self, client: httpx.AsyncClient) -> None:
        """Nobody reads it."""
        answer = await client.request("GET", "/v1/things", headers=OPERATOR, json={"a": 1})

        assert (413, "TOO_LARGE") == code_of(answer)


class TestTrouble:
    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            ("away", (503, "UNAVAILABLE")),
            ("lost", (503, "UNAVAILABLE")),
            ("wrong", (500, "MISTAKE")),
            ("ours", (500, "MISTAKE")),
        ],
    )
    async def test_says_nothing_of_our_insides(
        self,
        client: httpx.AsyncClient,
        capsys: pytest.CaptureFixture[str],
        how: str,
        expected: tuple[int, str],
    ) -> None:
        """Neither to whoever asks nor, of what was sent, to the log."""
        answer = await client.get(f"/v1/broken/{how}", headers=OPERATOR)

        assert expected == code_of(answer)
        assert "Traceback" not in answer.text
        assert SECRET not in answer.text
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        if expected[0] == 500:
            assert "test_edge.py:" in said.out  # Its place is named.


class TestAnswers:
    async def test_are_kept_by_nobody(self, client: httpx.AsyncClient) -> None:
        """Also those about trouble; and no version is told."""
        answers = [
            await client.get("/v1/things", headers=OPERATOR),
            await client.get("/v1/things"),
            await client.get("/v1/broken/ours", headers=OPERATOR),
            await client.get("/v1/x", headers=OPERATOR),
        ]

        for answer in answers:
            assert "no-store" == answer.headers["cache-control"]
            assert "nosniff" == answer.headers["x-content-type-options"]
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert not {"server", "x-powered-by"} & answer.headers.keys()
            assert "strict-transport-security" not in answer.headers

    async def test_insist_on_tls_where_they_came_over_it(self, switch: Switch) -> None:
        """For a year."""
        app = build_api(switch.desk(), [router])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://admin") as client:
            answer = await client.get("/v1/things")

        assert "max-age=31536000" == answer.headers["strict-transport-security"]


class TestDeclaration:
    async def test_is_what_a_route_is_served_for(self, switch: Switch) -> None:
        """One without it, or with two, ends the start."""
        without, twice = APIRouter(), APIRouter()

        @without.get("/v1/a")
        async def a() -> None: ...

        @twice.get("/v1/b", dependencies=[acts("audit.list"), open_to_all()])
        async def b() -> None: ...

        for routers in ([without], [twice]):
            with pytest.raises(UndeclaredRoute):
                build_api(switch.desk(), routers)

    def test_names_a_rule(self) -> None:
        """An action that the table does not know is a mistake at once."""
        for actions in (["outlet.burn"], [], ["outlet.add", "outlet.burn"]):
            with pytest.raises(UndeclaredRoute):
                acts(*actions)

    async def test_is_of_no_use_without_the_edge(self) -> None:
        """An app that was put together without it serves nothing."""
        app = FastAPI()
        app.include_router(router)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            answer = await client.get("/v1/things")

        assert 500 == answer.status_code
