"""What may be asked of an operator: logins, names, roles, scopes, and what is shown of them."""

from dataclasses import replace

import pytest

from services.admin.domain.act import Json
from services.admin.domain.operator import Operator, new_operator, safe_login, with_rights
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role, Scope

ANI = Operator(id=1, login="ani", name="Ani", role=Role.OPERATOR)
APPROVER = replace(ANI, role=Role.APPROVER, password_hash="x")


class TestNewOperator:
    def test_takes_role_and_scope_as_they_were_asked_for(self) -> None:
        """Name, role and both parts of the scope."""
        content: dict[str, Json] = {
            "name": " Ani ",
            "role": "finance",
            "regions": ["Merauke"],
            "groups": ["buma"],
        }
        expected = Operator(
            login="ani",
            name="Ani",
            role=Role.FINANCE,
            scope=Scope(frozenset({"Merauke"}), frozenset({"buma"})),
        )

        assert expected == new_operator("ani", content)

    @pytest.mark.parametrize("login", ["", "a", "Ani", "1ni", "ani budi", "a" * 33, "ani/1"])
    def test_refuses_a_login_that_the_table_would_not_take(self, login: str) -> None:
        """The rule of the table, said before the table says it."""
        found = new_operator(login, {"name": "Ani", "role": "operator"})

        assert isinstance(found, Refused)
        assert Refusal.NOT_ALLOWED is found.why

    @pytest.mark.parametrize(
        "content",
        [
            {"name": "", "role": "operator"},
            {"name": "A\nni", "role": "operator"},
            {"name": "Ani", "role": "root"},
            {"name": "Ani", "role": ["operator"]},
            {"name": "Ani", "role": "operator", "regions": [""]},
            {"name": "Ani", "role": "operator", "groups": "buma"},
        ],
    )
    def test_refuses_what_is_no_name_role_or_scope(self, content: dict[str, Json]) -> None:
        """Each part by itself."""
        assert isinstance(new_operator("ani", content), Refused)


class TestWithRights:
    def test_leaves_what_is_not_named(self) -> None:
        """Another role keeps the scope, another scope keeps the role."""
        before = replace(ANI, scope=Scope(frozenset({"Merauke"})))

        promoted, moved = (
            with_rights(before, {"role": "auditor"}),
            with_rights(before, {"regions": []}),
        )

        assert isinstance(promoted, Operator)
        assert isinstance(moved, Operator)
        assert (Role.AUDITOR, before.scope) == (promoted.role, promoted.scope)
        assert (Role.OPERATOR, Scope()) == (moved.role, moved.scope)


class TestCanAct:
    def test_asks_approvers_alone_for_a_factor(self) -> None:
        """An approver without a factor can sign in and do nothing."""
        assert (True, False) == (APPROVER.can_sign_in, APPROVER.can_act)
        assert replace(APPROVER, factor_sealed=b"y").can_act
        assert replace(ANI, password_hash="x").can_act
        assert not replace(ANI, password_hash="x", is_disabled=True).can_act


class TestWhatIsShown:
    def test_holds_no_secret(self) -> None:
        """The repr of an operator may stand in a traceback."""
        shown = repr(
            replace(
                ANI,
                password_hash="$argon2id$v=19$secret",
                enrol_hash=b"code",
                factor_sealed=b"seal",
            )
        )

        assert [] == [word for word in ("argon2", "code", "seal'") if word in shown]

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [("budi", "bud*"), ("4111111111111111", "*"), ("Pa55word!", "paw*"), ("a\nb", "ab*")],
    )
    def test_cuts_a_login_that_nobody_has(self, typed: str, expected: str) -> None:
        """Somebody may type a password or a card number there: no digit, three letters at most."""
        assert expected == safe_login(typed)
