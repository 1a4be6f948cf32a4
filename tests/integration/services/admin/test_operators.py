"""Operators over HTTP on a real PostgreSQL: from the first administrator to the last."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.admin.domain.act import Act
from services.admin.domain.enrolment import VALID_MS
from services.admin.domain.operator import entity_of
from services.admin.domain.refusal import Refusal, Refused
from services.admin.handlers.perform_act import Done
from tests.integration.services.admin.approvals import MakeDatabase
from tests.integration.services.admin.people import (
    ADMINISTRATOR,
    APPROVER,
    Office,
    open_people,
    password_of,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    """An administrator and an approver, both signed in."""
    async with open_people(make_database) as opened:
        yield opened


async def states(office: Office) -> dict[str, str]:
    """Who there is and how they stand."""
    found = await office.ask(ADMINISTRATOR, "GET", "/v1/operators")
    return {one["login"]: one["state"] for one in found.json()["rows"]}


class TestInit:
    async def test_is_done_once(self, office: Office) -> None:
        """A second time is refused and changes nothing."""
        found = await office.init.begin("second", "Second", password_of("second"))

        assert isinstance(found, Refused)
        assert Refusal.EXISTS is found.why
        assert {ADMINISTRATOR, APPROVER} == set(await states(office))

    async def test_makes_one_of_two_at_once(self, office: Office) -> None:
        """Two people run it on the same empty database."""
        await office.tell("DELETE FROM admin.session; DELETE FROM admin.operator")

        found = await asyncio.gather(
            *(office.init.begin(one, one, password_of(one)) for one in ("first", "second"))
        )

        assert 1 == sum(isinstance(one, Refused) for one in found)


class TestEnrol:
    async def test_opens_a_login_once(self, office: Office) -> None:
        """With the code the person chooses a password; then the code is used up."""
        await office.add("ani", "operator")
        assert 401 == (await office.sign_in("ani")).status_code

        first = await office.enrol("ani", office.codes["ani"])
        again = await office.enrol("ani", office.codes["ani"], password="another-word-77")

        assert (200, 401) == (first.status_code, again.status_code)
        assert 200 == (await office.sign_in("ani")).status_code
        assert 401 == (await office.sign_in("ani", "another-word-77")).status_code

    async def test_takes_one_of_two_at_once(self, office: Office) -> None:
        """Two who know the code race: one password counts."""
        await office.add("ani", "operator")
        code = office.codes["ani"]

        found = await asyncio.gather(
            *(office.enrol("ani", code, password=f"ombak-pasir-{one}-9") for one in range(2))
        )

        assert [200, 401] == sorted(one.status_code for one in found)

    async def test_is_over_after_a_day(self, office: Office) -> None:
        """Then a reset gives a new code, and the old one stays dead."""
        await office.add("ani", "operator")
        old = office.codes["ani"]
        office.clock.advance(VALID_MS)
        assert 401 == (await office.enrol("ani", old)).status_code
        for login in (ADMINISTRATOR, APPROVER):
            await office.sign_in(login)
        assert "code expired" == (await states(office))["ani"]

        path = "/v1/operators/ani/reset"
        asked = await office.ask(ADMINISTRATOR, "POST", path, {"reason": "was away"})
        new = (await office.decide(asked)).json()["enrolment_code"]

        assert 401 == (await office.enrol("ani", old)).status_code
        assert 200 == (await office.enrol("ani", new)).status_code

    async def test_of_an_approver_asks_for_the_factor(self, office: Office) -> None:
        """Without a code of it there is no password; with one there is a factor to sign in with."""
        await office.add("second", "approver")
        body = {"code": office.codes["second"], "password": password_of("second")}

        half = await office.ask("", "POST", "/v1/operators/second/enrol", body)
        assert not half.json()["is_enrolled"]
        assert 401 == (await office.sign_in("second")).status_code

        assert (await office.enrol("second", office.codes["second"])).json()["has_factor"]
        assert (await office.sign_in("second")).json()["has_factor"]

    async def test_says_what_is_wrong_with_a_password(self, office: Office) -> None:
        """To who has the code, and without the password."""
        await office.add("ani", "operator")

        weak = await office.enrol("ani", office.codes["ani"], password="ani-ani-ani-1")

        assert 422 == weak.status_code
        assert "a password has" in weak.json()["error"]["detail"]
        assert "ani-ani-ani-1" not in weak.text


class TestRights:
    async def test_need_two_people(self, office: Office) -> None:
        """Adding, another role, a reset: each waits; nothing is done before the second word."""
        await office.let_in("ani", "operator")
        asked = [
            await office.ask(ADMINISTRATOR, "POST", path, {**body, "reason": "because"})
            for path, body in (
                ("/v1/operators", {"login": "new", "name": "New", "role": "auditor"}),
                ("/v1/operators/ani/role", {"role": "auditor"}),
                ("/v1/operators/ani/reset", {}),
            )
        ]

        assert [202] * 3 == [one.status_code for one in asked]
        assert {ADMINISTRATOR, APPROVER, "ani"} == set(await states(office))
        assert "operator" == (await office.ask("ani", "GET", "/v1/me")).json()["role"]

    async def test_are_for_administrators(self, office: Office) -> None:
        """Nobody else adds, changes, resets or disables, and every try is written down."""
        await office.let_in("ani", "operator")
        for path, body in (
            ("/v1/operators", {"login": "new", "name": "New", "role": "administrator"}),
            ("/v1/operators/ani/role", {"role": "administrator"}),
            ("/v1/operators/root/reset", {}),
            ("/v1/operators/root/disable", {}),
        ):
            found = await office.ask("ani", "POST", path, {**body, "reason": "because"})
            assert (403, "NOT_YOUR_ROLE") == (found.status_code, found.json()["error"]["code"])

        rows = (await office.ask(ADMINISTRATOR, "GET", "/v1/audit?login=ani")).json()["rows"]
        assert 4 == sum(one["result"] == "refused" for one in rows)

    async def test_are_never_changed_by_oneself(self, office: Office) -> None:
        """A second person does not help."""
        await office.let_in("second", "administrator")
        asked = await office.ask(
            "second", "POST", "/v1/operators/second/role", {"role": "auditor", "reason": "because"}
        )

        if asked.status_code == 202:
            asked = await office.decide(asked)
        assert 400 <= asked.status_code < 500
        assert "administrator" == (await office.ask("second", "GET", "/v1/me")).json()["role"]

    async def test_of_the_last_administrator_stay_when_two_leave_at_once(
        self, office: Office
    ) -> None:
        """Two administrators disable each other at the same moment: one of them stays."""
        await office.let_in("second", "administrator")
        pairs = ((ADMINISTRATOR, "second"), ("second", ADMINISTRATOR))
        callers = [await office.desk.callers.find(office.tokens[by]) for by, _ in pairs]

        found = await asyncio.gather(
            *(
                office.desk.perform(caller, Act("operator.disable", entity_of(other), {}, "no"))
                for caller, (_, other) in zip(callers, pairs, strict=True)
                if caller is not None
            )
        )

        assert [Refusal.WRONG_STATE] == [one.why for one in found if isinstance(one, Refused)]
        assert 1 == sum(isinstance(one, Done) for one in found)

    async def test_of_the_last_approver_stay(self, office: Office) -> None:
        """Else one person could end the rule of two, and go on alone."""
        path = f"/v1/operators/{APPROVER}/disable"

        found = await office.ask(ADMINISTRATOR, "POST", path, {"reason": "alone"})

        assert (409, "WRONG_STATE") == (found.status_code, found.json()["error"]["code"])

    async def test_are_counted_where_they_hold_everywhere(self, office: Office) -> None:
        """An approver of one region cannot approve rights: the last other one stays."""
        await office.let_in("second", "approver")
        asked = await office.ask(
            ADMINISTRATOR,
            "POST",
            "/v1/operators/second/role",
            {"regions": ["Merauke"], "reason": "moves"},
        )
        assert 200 == (await office.decide(asked)).status_code

        path = f"/v1/operators/{APPROVER}/disable"
        assert (
            409 == (await office.ask(ADMINISTRATOR, "POST", path, {"reason": "gone"})).status_code
        )


class TestList:
    async def test_shows_all_in_pages_and_no_secret(self, office: Office) -> None:
        """In the order of logins, with what they are and how they stand."""
        await office.add("ani", "operator")
        first = await office.ask(ADMINISTRATOR, "GET", "/v1/operators?rows_max=2")
        second = await office.ask(
            ADMINISTRATOR, "GET", f"/v1/operators?rows_max=2&after={first.json()['after']}"
        )

        assert ["ani", APPROVER, ADMINISTRATOR] == [
            one["login"] for page in (first, second) for one in page.json()["rows"]
        ]
        assert {
            "login", "name", "role", "regions", "groups", "is_disabled", "state", "has_factor",
        } == set(first.json()["rows"][0])  # fmt: skip
        assert "" == second.json()["after"]
