"""Signing in over HTTP on a real PostgreSQL: equal refusals, locks, sessions that end at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.admin.domain.lock_out import FIRST_LOCK_MS, TRIES
from tests.integration.services.admin.approvals import MakeDatabase
from tests.integration.services.admin.people import (
    ADMINISTRATOR,
    APPROVER,
    SESSION_MS,
    Office,
    open_people,
    password_of,
)

pytestmark = pytest.mark.postgres

ME = "/v1/me"


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    """An administrator, an approver and Ani, an operator; all have signed in."""
    async with open_people(make_database) as opened:
        await opened.let_in("ani", "operator")
        yield opened


async def status(office: Office, login: str) -> int:
    """What somebody hears who asks for the most harmless thing there is."""
    return (await office.ask(login, "GET", ME)).status_code


class TestSignIn:
    async def test_gives_a_token_for_what_one_is(self, office: Office) -> None:
        """Login, role and scope come from the table, not from the token."""
        found = (await office.ask("ani", "GET", ME)).json()

        assert {
            "login": "ani", "role": "operator", "regions": [], "groups": [], "has_factor": False,
        } == found  # fmt: skip

    async def test_refuses_all_in_the_same_words(self, office: Office) -> None:
        """Unknown, wrong password, wrong code, code used, disabled, not enrolled, locked."""
        for login in ("gone", "slow", "shut"):
            await office.add(login, "auditor")
        await office.enrol("shut", office.codes["shut"])
        await office.ask(ADMINISTRATOR, "POST", "/v1/operators/gone/disable", {"reason": "left"})
        for _ in range(TRIES):
            await office.sign_in("shut", "wrong")
        used = office.code(APPROVER)
        await office.sign_in(APPROVER, code=used)

        found = [
            await office.sign_in("nobody"),
            await office.sign_in("Not A Login'; --"),
            await office.sign_in("ani", "wrong"),
            await office.sign_in(APPROVER, code=""),
            await office.sign_in(APPROVER, code="123"),
            await office.sign_in(APPROVER, code=used),
            await office.sign_in("gone"),
            await office.sign_in("slow"),
            await office.sign_in("shut"),
        ]

        assert {(401, found[0].content)} == {(one.status_code, one.content) for one in found}
        assert "SIGN_IN_FAILED" == found[0].json()["error"]["code"]

    async def test_is_locked_by_five_wrong_ones_for_a_while(self, office: Office) -> None:
        """The right password is refused until a quarter of an hour has passed."""
        for _ in range(TRIES):
            await office.sign_in("ani", "wrong")

        office.clock.advance(FIRST_LOCK_MS - 1)
        assert 401 == (await office.sign_in("ani")).status_code
        office.clock.advance(1)
        assert 200 == (await office.sign_in("ani")).status_code

    async def test_counts_guesses_that_come_at_once(self, office: Office) -> None:
        """Sixteen connections guess in parallel: they are wrong five times, not sixteen."""
        await asyncio.gather(*(office.sign_in("ani", "wrong") for _ in range(16)))

        rows = (await office.ask(ADMINISTRATOR, "GET", "/v1/audit?entity=operator/ani")).json()
        refused = [one["content"] for one in rows["rows"] if one["result"] == "refused"]
        assert TRIES == sum('"PASSWORD"' in one for one in refused)
        assert 16 - TRIES == sum('"LOCKED"' in one for one in refused)

    async def test_takes_a_code_for_one_session_of_two_at_once(self, office: Office) -> None:
        """Two who know password and code race: one gets in."""
        code = office.code(APPROVER)

        found = await asyncio.gather(*(office.sign_in(APPROVER, code=code) for _ in range(2)))

        assert [200, 401] == sorted(one.status_code for one in found)

    async def test_is_written_down_with_who_and_why(self, office: Office) -> None:
        """Done and refused, known and unknown; nothing of what was typed as a password."""
        await office.sign_in("ani", "my-secret-guess")
        await office.sign_in("password-of-ani", "my-secret-guess")

        rows = (await office.ask(ADMINISTRATOR, "GET", "/v1/audit")).json()["rows"]
        found = [(one["action"], one["entity"], one["result"], one["login"]) for one in rows]
        assert [
            ("session.open", "operator/pas*", "refused", ""),
            ("session.open", "operator/ani", "refused", ""),
            ("session.open", "operator/ani", "done", "ani"),
        ] == found[:3]


class TestSession:
    async def test_ends_with_signing_out(self, office: Office) -> None:
        """The very next request is refused, others of the same person go on."""
        first = office.tokens["ani"]
        await office.sign_in("ani")
        assert 200 == (await office.ask("ani", "DELETE", "/v1/sessions/current")).status_code

        assert 401 == await status(office, "ani")
        office.tokens["ani"] = first
        assert 200 == await status(office, "ani")

    async def test_ends_with_its_time(self, office: Office) -> None:
        """Good to the last millisecond, and not one longer."""
        await office.sign_in("ani")

        office.clock.advance(SESSION_MS - 1)
        assert 200 == await status(office, "ani")
        office.clock.advance(1)
        assert 401 == await status(office, "ani")

    async def test_ends_with_its_person(self, office: Office) -> None:
        """Disabled: the very next request is refused, and no new session is given."""
        assert 200 == await status(office, "ani")
        path = "/v1/operators/ani/disable"
        await office.ask(ADMINISTRATOR, "POST", path, {"reason": "lost the phone"})

        assert 401 == await status(office, "ani")
        assert 401 == (await office.sign_in("ani")).status_code

    async def test_ends_however_its_person_was_disabled(self, office: Office) -> None:
        """Also by hand in the table: the person is looked at, not the session alone."""
        await office.tell("UPDATE admin.operator SET is_disabled = true WHERE login = 'ani'")

        assert 401 == await status(office, "ani")

    async def test_ends_with_a_reset(self, office: Office) -> None:
        """A new one-time code ends everything from before."""
        path = "/v1/operators/ani/reset"
        asked = await office.ask(ADMINISTRATOR, "POST", path, {"reason": "forgot"})
        assert 200 == await status(office, "ani")
        assert 200 == (await office.decide(asked)).status_code

        assert 401 == await status(office, "ani")
        assert 401 == (await office.sign_in("ani")).status_code

    async def test_has_the_rights_of_now(self, office: Office) -> None:
        """A new role and scope hold from the very next request of a session that goes on."""
        asked = await office.ask(
            ADMINISTRATOR,
            "POST",
            "/v1/operators/ani/role",
            {"role": "auditor", "regions": ["Merauke"], "reason": "moves"},
        )
        assert 403 == (await office.ask("ani", "GET", "/v1/audit")).status_code
        await office.decide(asked)

        found = (await office.ask("ani", "GET", ME)).json()
        assert ("auditor", ["Merauke"]) == (found["role"], found["regions"])
        assert 200 == (await office.ask("ani", "GET", "/v1/audit")).status_code

    async def test_is_nobodys_with_another_token(self, office: Office) -> None:
        """None, one that was never given, and one letter changed."""
        token = office.tokens["ani"]
        for wrong in ("", "x" * 43, token[:-1] + ("A" if token[-1] != "A" else "B"), token + "="):
            office.tokens["ani"] = wrong
            assert 401 == await status(office, "ani")

    async def test_of_an_approver_without_a_factor_may_not_approve(self, office: Office) -> None:
        """Somebody made an approver behind our backs: signed in, and refused everything."""
        asked = await office.ask(
            ADMINISTRATOR, "POST", "/v1/operators/ani/role", {"role": "auditor", "reason": "moves"}
        )
        await office.tell("UPDATE admin.operator SET role = 3 WHERE login = 'ani'")
        assert 200 == (await office.sign_in("ani")).status_code

        found = await office.decide(asked, by="ani")
        assert (403, "CODE_NEEDED") == (found.status_code, found.json()["error"]["code"])


class TestSecrets:
    async def test_stand_nowhere_in_the_database(self, office: Office) -> None:
        """Passwords, tokens, one-time codes, factors: no table holds one as it is."""
        await office.sign_in("ani", "my-secret-guess")
        found = await office.dump()

        clear = [
            *office.tokens.values(),
            *office.codes.values(),
            *(code.replace("-", "") for code in office.codes.values()),
            *office.secrets.values(),
            *map(password_of, office.tokens),
            "my-secret-guess",
        ]
        hexed = [one.encode().hex() for one in clear]
        assert [] == [one for one in (*clear, *hexed) if one in found]
        assert "$argon2id$" in found
