"""Signing in on tables in memory: what is refused, what it costs, and what the audit knows."""

import asyncio
import json
from dataclasses import replace
from typing import Final

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.sign_in import STEP_MS, PlainPasswords, StepFactors, code_of
from services.admin.domain.lock_out import FIRST_LOCK_MS, TRIES
from services.admin.domain.operator import Operator
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.domain.session import token_hash
from services.admin.handlers.sign_in import SignedIn, SignIn

NOW_MS: Final = 1_795_600_000_000
SESSION_MS: Final = 1_000_000
PASSWORD: Final = "sagu-dan-ikan-7"
ANI: Final = Operator(
    login="ani", name="Ani", role=Role.OPERATOR, password_hash=f"plain:{PASSWORD}"
)
BUDI: Final = replace(ANI, login="budi", role=Role.APPROVER, factor_sealed=b"budi/1")


class Door:
    """People in memory, and the way in."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW_MS)
        self.tables = MemoryTransactions(self.clock)
        self.passwords = PlainPasswords()
        self.factors = StepFactors(self.clock)
        self.sign_in = SignIn(
            self.tables, self.passwords, self.factors, self.clock, session_ms=SESSION_MS
        )

    async def add(self, *people: Operator) -> None:
        """Put people into the table."""
        async with self.tables.begin() as work:
            await work.operators.hold()
            for one in people:
                await work.operators.add(one)

    async def fail(self, login: str, times: int) -> None:
        """Be wrong so often."""
        for _ in range(times):
            assert isinstance(await self.sign_in(login, "wrong", ""), Refused)

    def why(self) -> str:
        """Why the last one was refused, as the audit knows it."""
        found = json.loads(self.tables.audit[-1].content)["why"]
        assert isinstance(found, str)
        return found


@pytest.fixture
async def door() -> Door:
    """Ani without a factor, Budi with one, Cici disabled, Dedi who has not enrolled."""
    door = Door()
    await door.add(
        ANI,
        BUDI,
        replace(ANI, login="cici", is_disabled=True),
        replace(ANI, login="dedi", password_hash=""),
    )
    return door


class TestSignIn:
    async def test_opens_a_session_of_which_only_a_hash_is_kept(self, door: Door) -> None:
        """256 random bits, for as long as the setting says, without a factor here."""
        found = await door.sign_in("ani", PASSWORD, "")

        assert isinstance(found, SignedIn)
        [session] = door.tables.people.sessions.values()
        assert (token_hash(found.token), 1, NOW_MS, NOW_MS + SESSION_MS, False) == session
        assert 43 == len(found.token)
        assert ("done", "ani") == (door.tables.audit[-1].result, door.tables.audit[-1].login)

    async def test_never_gives_a_token_twice(self, door: Door) -> None:
        """Two sign-ins, two sessions."""
        first, second = [await door.sign_in("ani", PASSWORD, "") for _ in range(2)]

        assert isinstance(first, SignedIn)
        assert isinstance(second, SignedIn)
        assert first.token != second.token

    async def test_takes_a_code_once(self, door: Door) -> None:
        """A code opens one session; the next one needs the next code."""
        code = door.factors.code

        first, again = [await door.sign_in("budi", PASSWORD, code) for _ in range(2)]

        assert isinstance(first, SignedIn)
        assert first.has_factor
        assert (Refusal.SIGN_IN_FAILED, "CODE_USED") == (refusal(again), door.why())
        door.clock.advance(STEP_MS)
        assert isinstance(await door.sign_in("budi", PASSWORD, door.factors.code), SignedIn)

    async def test_takes_no_code_older_than_the_last_one(self, door: Door) -> None:
        """One step back is within the time, but was passed by."""
        before = code_of(NOW_MS // STEP_MS - 1)
        await door.sign_in("budi", PASSWORD, door.factors.code)

        assert Refusal.SIGN_IN_FAILED is refusal(await door.sign_in("budi", PASSWORD, before))


class TestRefusals:
    @pytest.mark.parametrize(
        ("login", "password", "code", "why"),
        [
            ("nobody", PASSWORD, "", "UNKNOWN"),
            ("ani", "wrong", "", "PASSWORD"),
            ("budi", PASSWORD, "", "CODE"),
            ("budi", PASSWORD, "000000", "CODE"),
            ("cici", PASSWORD, "", "DISABLED"),
            ("dedi", "", "", "NOT_ENROLLED"),
        ],
    )
    async def test_sound_and_cost_the_same(
        self, door: Door, login: str, password: str, code: str, why: str
    ) -> None:
        """One sentence, one hash computed; only the audit knows which it was."""
        found = await door.sign_in(login, password, code)

        assert Refused(Refusal.SIGN_IN_FAILED) == found
        assert 1 == len(door.passwords.checked)
        assert (why, "refused", "") == (
            door.why(), door.tables.audit[-1].result, door.tables.audit[-1].login,
        )  # fmt: skip

    async def test_of_the_locked_sound_and_cost_the_same(self, door: Door) -> None:
        """Behind a lock the right password is refused, after the same work."""
        await door.fail("ani", TRIES)
        checked = len(door.passwords.checked)

        assert Refused(Refusal.SIGN_IN_FAILED) == await door.sign_in("ani", PASSWORD, "")
        assert "LOCKED" == door.why()
        assert checked + 1 == len(door.passwords.checked)

    async def test_write_down_no_password_and_not_all_of_an_unknown_login(self, door: Door) -> None:
        """Somebody typed the password in the place of the login."""
        await door.sign_in(PASSWORD, "ani", "")

        assert "operator/sag*" == door.tables.audit[-1].entity
        assert PASSWORD not in str(door.tables.audit)


class ChangingPasswords(PlainPasswords):
    """While a password is checked its owner gets another one."""

    def __init__(self, tables: MemoryTransactions) -> None:
        super().__init__()
        self._tables = tables

    async def is_right(self, hashed: str, password: str) -> bool:
        """Check it, too late."""
        async with self._tables.begin() as work:
            operator = await work.operators.read("ani")
            assert operator is not None
            await work.operators.write(replace(operator, password_hash="plain:another"))
        return await super().is_right(hashed, password)


class TestRaces:
    async def test_password_that_is_over_by_now_opens_nothing(self) -> None:
        """It was right when it was read, and is not when the session would be opened."""
        door = Door()
        await door.add(ANI)
        slow = ChangingPasswords(door.tables)
        sign_in = SignIn(door.tables, slow, door.factors, door.clock, session_ms=SESSION_MS)

        assert Refused(Refusal.SIGN_IN_FAILED) == await sign_in("ani", PASSWORD, "")
        assert {} == door.tables.people.sessions


class TestLockOut:
    async def test_ends_by_itself(self, door: Door) -> None:
        """A quarter of an hour after the fifth wrong one the right one is let in again."""
        await door.fail("ani", TRIES)

        door.clock.advance(FIRST_LOCK_MS - 1)
        assert isinstance(await door.sign_in("ani", PASSWORD, ""), Refused)
        door.clock.advance(1)
        assert isinstance(await door.sign_in("ani", PASSWORD, ""), SignedIn)

    async def test_is_of_one_person(self, door: Door) -> None:
        """Who guesses at one login hinders nobody else."""
        await door.fail("ani", TRIES)

        assert isinstance(await door.sign_in("budi", PASSWORD, door.factors.code), SignedIn)

    async def test_counts_wrong_codes_too(self, door: Door) -> None:
        """Who knows the password may not try a million codes."""
        for _ in range(TRIES):
            await door.sign_in("budi", PASSWORD, "000000")

        await door.sign_in("budi", PASSWORD, door.factors.code)
        assert "LOCKED" == door.why()

    async def test_does_not_grow_while_it_lasts(self, door: Door) -> None:
        """What is refused unseen is not counted, so a stranger cannot stretch a lock."""
        await door.fail("ani", TRIES)
        until_ms = door.tables.people.operators["ani"].locked_until_ms

        await door.fail("ani", TRIES)

        assert until_ms == door.tables.people.operators["ani"].locked_until_ms

    async def test_holds_against_guesses_in_parallel(self, door: Door) -> None:
        """Twenty at once are counted one by one: the right one among the late ones is refused."""
        tries = [*["wrong"] * TRIES, *[PASSWORD] * 15]

        found = await asyncio.gather(*(door.sign_in("ani", one, "") for one in tries))

        assert not any(isinstance(one, SignedIn) for one in found)


def refusal(found: SignedIn | Refused) -> Refusal:
    """Why, of one that must be refused."""
    assert isinstance(found, Refused)
    return found.why
