"""The commands' one way to admin: its HTTP API, spoken to with the token of who has signed in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any, Final

import httpx

from services.cli.admin_session import read_session
from services.cli.faults import CommandRefused
from services.cli.screen import screen
from services.cli.settings import Settings

_CONNECT_S: Final = 5.0
_USER_AGENT: Final = "lesko"


class AdminClient:
    """Asks admin and returns what it says; whatever goes wrong is one sentence.

    Every method raises CommandRefused: with admin's own sentence where it refuses, else with what
    is wrong with the way to it. An answer that waits for a second person is told to the person
    who asked, and returned as ``{"proposal": number}``.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        """``transport`` takes the place of the network."""
        self._admin = settings.admin
        self._home = settings.home
        self._transport = transport
        self.url = self._admin.address.rstrip("/")

    def get(self, path: str, **params: object) -> Any:
        """Return the JSON at a path; parameters that are None are left out."""
        return self._ask("GET", path, params=_given(params))

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send a body and return the JSON of the answer."""
        return self._ask("POST", path, json=body or {})

    def patch(self, path: str, body: Mapping[str, object]) -> Any:
        """Send changes and return the JSON of the answer."""
        return self._ask("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        """Take something back and return the JSON of the answer."""
        return self._ask("DELETE", path)

    def read(self, path: str, **params: object) -> bytes:
        """Return what is at a path as it is: a CSV, a PDF."""
        return self._answer("GET", path, params=_given(params)).content

    def upload(self, path: str, parts: Iterator[bytes], media_type: str, **params: object) -> Any:
        """Send a file in its parts, each taken when it is sent; return the JSON of the answer."""
        return self._ask(
            "POST", path, content=parts, headers={"content-type": media_type}, params=_given(params)
        )

    def _ask(self, method: str, path: str, **what: Any) -> Any:
        answer = self._answer(method, path, **what)
        found = _json(answer)
        if answer.status_code == HTTPStatus.ACCEPTED and isinstance(found, dict):
            _tell_proposal(found)
        return found

    def _answer(self, method: str, path: str, **what: Any) -> httpx.Response:
        with self._client() as client:
            answer = client.request(method, path, **what)
        if not answer.is_success:
            raise CommandRefused(_sentence(answer))
        return answer

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        """Open the way to admin: no proxy of the environment, no redirect, no token for others."""
        headers = {"user-agent": _USER_AGENT}
        session = read_session(self._home)
        if session is not None and session.url == self.url:
            headers["authorization"] = f"Bearer {session.token}"
        try:
            with httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=httpx.Timeout(self._admin.timeout_ms / 1_000, connect=_CONNECT_S),
                verify=_certificates(self._admin.ca_file),
                transport=self._transport,
                trust_env=False,
                follow_redirects=False,
            ) as client:
                yield client
        except (httpx.TimeoutException, httpx.TransportError) as trouble:
            raise CommandRefused(self._no_way(trouble)) from None

    def _no_way(self, trouble: httpx.HTTPError) -> str:
        if isinstance(trouble, httpx.ConnectError | httpx.ConnectTimeout):
            why = "; its certificate is not trusted" if "CERTIFICATE" in str(trouble) else ""
            return (
                f"No admin can be reached at {self.url}{why}: start it with lesko serve or lesko "
                "run, or say where it is with LESKO_ADMIN__URL (and LESKO_ADMIN__CA_FILE)."
            )
        if isinstance(trouble, httpx.TimeoutException):
            return (
                f"Admin at {self.url} did not answer in time; whether it was done is not known: "
                "look before you try again."
            )
        return (
            f"The connection to admin at {self.url} broke ({type(trouble).__name__}); whether it "
            "was done is not known: look before you try again."
        )


def _given(params: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _certificates(ca_file: Path | None) -> SSLContext:
    try:
        return create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as problem:
        message = f"LESKO_ADMIN__CA_FILE {ca_file} cannot be used: {problem.strerror or problem}."
        raise CommandRefused(message) from None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        message = f"What answers at {answer.url.host}:{answer.url.port} is not Lesko's admin."
        raise CommandRefused(message) from None


def _sentence(answer: httpx.Response) -> str:
    """Return admin's English sentence, with what it says about exactly what."""
    found = _json(answer)
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict) or "en" not in error:
        return f"Admin answered {answer.status_code} without saying why; see its log."
    more = [str(error["detail"])] if "detail" in error else []
    more += [str(field) for field in error.get("fields", ())]
    return f"{error['en']} ({'; '.join(more)})" if more else str(error["en"])


def _tell_proposal(found: Mapping[str, Any]) -> None:
    if (number := found.get("proposal")) is not None:
        screen().print(f"Proposal {number} waits for a second person: lesko approval show {number}")
