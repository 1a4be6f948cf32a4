"""The commands' way to admin: what is sent, what is said of each answer, and where a token goes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from pydantic import ValidationError

from services.cli.admin_client import AdminClient
from services.cli.admin_session import SignedIn, keep_session
from services.cli.faults import CommandRefused
from services.cli.settings import AdminPart, Settings

URL: Final = "https://admin.example:8590"
TOKEN: Final = "token-of-ani"
Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """What admin answers, and what it was asked."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer, or break as a network does."""
        request.read()
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def client_of(home: Path, server: Server, **admin: Any) -> AdminClient:
    """A client whose network is the server."""
    part = AdminPart(url=URL, **admin)
    return AdminClient(Settings(home=home, admin=part), httpx.MockTransport(server))


def refused(code: str, **more: Any) -> httpx.Response:
    error = {"code": code, "id": "Tidak.", "en": "No.", **more}
    return httpx.Response(403, json={"error": error})


class TestAnswers:
    def test_are_json(self, tmp_path: Path) -> None:
        """What admin says is what the command gets."""
        server = Server(httpx.Response(200, json={"rows": []}))

        found = client_of(tmp_path, server).get("/v1/operators", after="", rows_max=5, login=None)

        assert {"rows": []} == found
        assert f"{URL}/v1/operators?after=&rows_max=5" == str(server.asked[0].url)

    def test_that_wait_for_a_second_person_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The number, and how to look at it."""
        server = Server(httpx.Response(202, json={"proposal": 7}))

        found = client_of(tmp_path, server).post("/v1/products", {"code": "x"})

        assert {"proposal": 7} == found
        assert "Proposal 7 waits for a second person: lesko approval show 7" in (
            capsys.readouterr().out
        )

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (refused("NOT_YOUR_ROLE"), "No."),
            (refused("NOT_ALLOWED", detail="it is wrong"), "No. (it is wrong)"),
            (refused("INVALID", fields=["body.a: missing", "body.b: int"]),
             "No. (body.a: missing; body.b: int)"),
            (httpx.Response(500, json={}), "Admin answered 500 without saying why; see its log."),
            (httpx.Response(200, text="<html>"), "admin.example:8590 is not Lesko's admin"),
            (httpx.Response(302, headers={"location": "https://evil.example"}, json={}),
             "Admin answered 302"),
        ],
    )  # fmt: skip
    def test_that_refuse_are_one_sentence(
        self, tmp_path: Path, answer: httpx.Response, expected: str
    ) -> None:
        """Admin's own English one, with its detail; other people's answers are named as such."""
        server = Server(answer)

        with pytest.raises(CommandRefused) as raised:
            client_of(tmp_path, server).get("/v1/me")

        assert expected in str(raised.value)
        assert 1 == len(server.asked)  # A redirect is not followed.

    def test_may_be_a_file(self, tmp_path: Path) -> None:
        """A PDF or CSV comes as it is."""
        server = Server(httpx.Response(200, content=b"%PDF-1.7 ..."))

        assert b"%PDF-1.7 ..." == client_of(tmp_path, server).read("/v1/x", format="pdf")


class TestWay:
    @pytest.mark.parametrize(
        ("trouble", "expected"),
        [
            (httpx.ConnectError("refused"), f"No admin can be reached at {URL}: start it"),
            (httpx.ConnectTimeout("slow"), f"No admin can be reached at {URL}: start it"),
            (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "is not trusted"),
            (httpx.ReadTimeout("slow"), "whether it was done is not known"),
            (httpx.RemoteProtocolError("cut"), "whether it was done is not known"),
        ],
    )
    def test_that_is_broken_is_one_sentence(
        self, tmp_path: Path, trouble: Exception, expected: str
    ) -> None:
        """And it says whether the thing may have been done."""
        with pytest.raises(CommandRefused, match=None) as raised:
            client_of(tmp_path, Server(trouble)).post("/v1/outlets", {})

        assert expected in str(raised.value)

    @pytest.mark.parametrize(
        "url", ["http://admin.example:8590", "ftp://x", "admin:8590", "https://a:b@c"]
    )
    def test_is_never_in_clear_over_a_network(self, url: str) -> None:
        """A password would be read on the way; on this machine there is no way."""
        with pytest.raises(ValidationError):
            AdminPart(url=url)

        assert "http://127.0.0.1:8590" == AdminPart().address
        assert "http://localhost:1" == AdminPart(url="http://localhost:1").address

    def test_names_a_certificate_file_that_is_not_there(self, tmp_path: Path) -> None:
        """The setting and the file."""
        client = client_of(tmp_path, Server(httpx.Response(200)), ca_file=tmp_path / "ca.pem")

        with pytest.raises(CommandRefused, match=r"LESKO_ADMIN__CA_FILE .*ca\.pem cannot be used"):
            client.get("/v1/me")


class TestToken:
    def test_is_sent_to_the_admin_that_gave_it_alone(self, tmp_path: Path) -> None:
        """Another address gets none."""
        server = Server(httpx.Response(200, json={}))
        keep_session(tmp_path, SignedIn(URL, "ani", TOKEN))

        client_of(tmp_path, server).get("/v1/me")
        keep_session(tmp_path, SignedIn("https://other.example", "ani", TOKEN))
        client_of(tmp_path, server).get("/v1/me")

        found = [one.headers.get("authorization") for one in server.asked]
        assert [f"Bearer {TOKEN}", None] == found


class TestUpload:
    def test_sends_parts_as_they_are_taken(self, tmp_path: Path) -> None:
        """A file of any size, with its own type."""
        server = Server(httpx.Response(200, json={"rows": 2}))

        def parts() -> Iterator[bytes]:
            yield b"a,b\n"
            yield b"1,2\n"

        found = client_of(tmp_path, server).upload("/v1/cards/import", parts(), "text/csv")

        assert {"rows": 2} == found
        [asked] = server.asked
        assert (b"a,b\n1,2\n", "text/csv") == (asked.content, asked.headers["content-type"])
