"""The one-time code: right for one login, for a day, once."""

from dataclasses import replace

from services.admin.domain.enrolment import (
    VALID_MS,
    code_hash,
    enrolled,
    invited,
    may_enrol,
    shown,
)
from services.admin.domain.operator import Operator
from services.admin.domain.role import Role

NOW_MS = 1_795_600_000_000
CODE = "ABCDEFGHIJKLMNOP"
NEW = Operator(id=1, login="ani", name="Ani", role=Role.APPROVER)
INVITED = invited(NEW, code_hash(CODE), NOW_MS)


class TestMayEnrol:
    def test_takes_the_code_however_it_was_read_out(self) -> None:
        """Dashes, spaces and small letters make no difference."""
        for typed in (CODE, shown(CODE), "abcd efgh ijkl mnop"):
            assert may_enrol(INVITED, typed, NOW_MS)

    def test_is_for_a_day(self) -> None:
        """The last millisecond is right, the next is not."""
        assert may_enrol(INVITED, CODE, NOW_MS + VALID_MS - 1)
        assert not may_enrol(INVITED, CODE, NOW_MS + VALID_MS)

    def test_refuses_everything_else(self) -> None:
        """Another code, none, nobody, somebody disabled, somebody who was not invited."""
        assert not may_enrol(INVITED, CODE[:-1] + "A", NOW_MS)
        assert not may_enrol(INVITED, "", NOW_MS)
        assert not may_enrol(None, CODE, NOW_MS)
        assert not may_enrol(replace(INVITED, is_disabled=True), CODE, NOW_MS)
        assert not may_enrol(NEW, CODE, NOW_MS)

    def test_is_of_use_once(self) -> None:
        """Enrolling uses it up."""
        done = enrolled(INVITED, password_hash="x", factor=b"y", step=3)

        assert not may_enrol(done, CODE, NOW_MS)
        assert (True, 3) == (done.can_act, done.factor_step)


class TestInvited:
    def test_leaves_nothing_of_before(self) -> None:
        """Password, factor and lock are gone: whoever had them has nothing."""
        before = enrolled(INVITED, password_hash="x", factor=b"y", step=3)

        after = invited(replace(before, failed=5, locked_until_ms=9), code_hash("B"), NOW_MS)

        assert ("", b"", b"", 0, 0) == (
            after.password_hash, after.factor_sealed, after.factor_offered, after.failed,
            after.locked_until_ms,
        )  # fmt: skip
