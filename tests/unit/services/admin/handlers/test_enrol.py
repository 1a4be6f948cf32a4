"""Enrolling on tables in memory: the code, the password, and the factor in two steps."""

from dataclasses import replace
from typing import Any, Final

import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.sign_in import STEP_MS, PlainPasswords, StepFactors
from services.admin.domain.enrolment import VALID_MS, code_hash, invited
from services.admin.domain.operator import Operator
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.enrol import Enrol, Enrolled, Enrolment, Offered

NOW_MS: Final = 1_795_600_000_000
CODE: Final = "ABCDEFGHIJKLMNOP"
PASSWORD: Final = "sagu-dan-ikan-7"
ANI: Final = Operator(login="ani", name="Ani", role=Role.OPERATOR)
BUDI: Final = replace(ANI, login="budi", role=Role.APPROVER)


class Desk:
    """Two people with the same one-time code, and the way to enrol."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW_MS)
        self.tables = MemoryTransactions(self.clock)
        self.passwords = PlainPasswords()
        self.factors = StepFactors(self.clock)
        self.enrol = Enrol(self.tables, self.passwords, self.factors, self.clock)

    def row(self, login: str) -> Operator:
        """A person as they stand."""
        return self.tables.people.operators[login]


@pytest.fixture
async def desk() -> Desk:
    """Ani, who needs no factor, and Budi, who does."""
    desk = Desk()
    async with desk.tables.begin() as work:
        await work.operators.hold()
        for one in (ANI, BUDI):
            await work.operators.add(invited(one, code_hash(CODE), NOW_MS))
    return desk


def asks(login: str, **more: str | bool) -> Enrolment:
    known: dict[str, Any] = {"code": CODE, "password": PASSWORD, **more}
    return Enrolment(login, **known)


class SlowPasswords(PlainPasswords):
    """While a hash is made somebody else is quicker with the same code."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    async def hash(self, password: str) -> str:
        """Make it, too late."""
        await self._desk.enrol(asks("ani", password="ombak-dan-pasir-8"))
        return await super().hash(password)


class TestEnrol:
    async def test_takes_the_password_and_uses_the_code_up(self, desk: Desk) -> None:
        """Once; the second time the same code is nothing."""
        first, again = [await desk.enrol(asks("ani")) for _ in range(2)]

        assert Enrolled("ani", has_factor=False) == first
        assert Refused(Refusal.SIGN_IN_FAILED) == again
        assert f"plain:{PASSWORD}" == desk.row("ani").password_hash

    async def test_counts_the_first_of_two(self, desk: Desk) -> None:
        """The code is used up by the time that the second one's hash is there."""
        slow = Enrol(desk.tables, SlowPasswords(desk), desk.factors, desk.clock)

        assert Refused(Refusal.SIGN_IN_FAILED) == await slow(asks("ani"))
        assert "plain:ombak-dan-pasir-8" == desk.row("ani").password_hash

    async def test_gives_an_approver_no_way_round_the_factor(self, desk: Desk) -> None:
        """First a factor is offered, then a code of it finishes; before that nothing is done."""
        offered = await desk.enrol(asks("budi"))
        between = desk.row("budi")
        done = await desk.enrol(asks("budi", factor_code=desk.factors.code))

        assert isinstance(offered, Offered)
        assert ("", b"") == (between.password_hash, between.factor_sealed)
        assert Enrolled("budi", has_factor=True) == done
        assert (offered.factor.sealed, NOW_MS // STEP_MS) == (
            desk.row("budi").factor_sealed, desk.row("budi").factor_step,
        )  # fmt: skip

    async def test_offers_a_factor_to_who_wants_one(self, desk: Desk) -> None:
        """Also where the role does not need it."""
        await desk.enrol(asks("ani", wants_factor=True))
        done = await desk.enrol(asks("ani", wants_factor=True, factor_code=desk.factors.code))

        assert Enrolled("ani", has_factor=True) == done

    async def test_refuses_a_code_of_a_factor_that_was_never_offered(self, desk: Desk) -> None:
        """There is nothing that it could be a code of."""
        found = await desk.enrol(asks("budi", factor_code=desk.factors.code))

        assert isinstance(found, Refused)
        assert not desk.row("budi").password_hash

    async def test_refuses_wrong_digits_and_lets_try_again(self, desk: Desk) -> None:
        """The one-time code is still good afterwards."""
        await desk.enrol(asks("budi"))
        wrong = await desk.enrol(asks("budi", factor_code="999999"))

        assert isinstance(wrong, Refused)
        assert Refusal.NOT_ALLOWED is wrong.why
        assert isinstance(await desk.enrol(asks("budi", factor_code=desk.factors.code)), Enrolled)

    async def test_is_over_after_a_day(self, desk: Desk) -> None:
        """An old slip of paper opens nothing."""
        desk.clock.advance(VALID_MS)

        assert Refused(Refusal.SIGN_IN_FAILED) == await desk.enrol(asks("ani"))

    @pytest.mark.parametrize(
        "wanted", [asks("nobody"), asks("ani", code="WRONGWRONGWRONGW"), asks("ani", code="")]
    )
    async def test_tells_nobody_which_logins_there_are(self, desk: Desk, wanted: Enrolment) -> None:
        """An unknown login and a wrong code hear the same, and no hash is made for them."""
        assert Refused(Refusal.SIGN_IN_FAILED) == await desk.enrol(wanted)
        assert [] == desk.passwords.hashed
        assert "refused" == desk.tables.audit[-1].result

    async def test_refuses_a_weak_password_and_keeps_the_code(self, desk: Desk) -> None:
        """The person hears what is wrong and chooses another one."""
        weak = await desk.enrol(asks("ani", password="password"))

        assert isinstance(weak, Refused)
        assert Refusal.NOT_ALLOWED is weak.why
        assert isinstance(await desk.enrol(asks("ani")), Enrolled)

    async def test_writes_down_no_code_and_no_password(self, desk: Desk) -> None:
        """Neither of those that worked nor of those that did not."""
        await desk.enrol(asks("ani", password="password"))
        await desk.enrol(asks("budi"))
        await desk.enrol(asks("budi", factor_code="999999"))
        await desk.enrol(asks("budi", factor_code=desk.factors.code))
        await desk.enrol(asks("ani", code="WRONGWRONGWRONGW"))

        written = str(desk.tables.audit)
        secrets = (CODE, PASSWORD, "SECRET1", desk.factors.code, "WRONGWRONG", "999999")
        assert [] == [one for one in secrets if one in written]
        assert "'operator/budi', result='done'" in written.replace("entity=", "")
