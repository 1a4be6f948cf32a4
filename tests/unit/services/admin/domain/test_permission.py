"""Who may do what: the table's promises, and the rule for who has shown no second factor."""

from libs.fakes.operators import a_caller
from services.admin.domain.permission import RULES, needs_two, refuse_role, refuse_scope
from services.admin.domain.refusal import Refusal
from services.admin.domain.role import EVERYWHERE, Place, Role, Scope

NEEDS_TWO = {
    *("wallet.adjust", "product.add", "product.set", "operator.role", "card.recover"),
    *("ledger.recover", "operator.add", "operator.reset"),
}


class TestRules:
    def test_need_two_people_where_it_matters(self) -> None:
        """Adjustment, limits and products, rights, a stolen card's return, recovery."""
        assert NEEDS_TWO <= {action for action, rule in RULES.items() if rule.two_people}

    def test_let_nobody_propose_and_approve(self) -> None:
        """The role that approves asks for nothing that needs an approval, and no other approves."""
        asking = {role for rule in RULES.values() if rule.two_people for role in rule.roles}

        assert Role.APPROVER not in asking
        assert {Role.APPROVER} == RULES["approval.approve"].roles | RULES["approval.reject"].roles

    def test_let_auditors_change_nothing(self) -> None:
        """They read and verify."""
        reading = ("list", "show", "verify", "statement")
        theirs = {action for action, rule in RULES.items() if Role.AUDITOR in rule.roles}

        assert all(action.partition(".")[2] in reading for action in theirs)


class TestRefuseRole:
    def test_gives_an_unknown_action_to_nobody(self) -> None:
        """What the table does not name is denied."""
        callers = [a_caller(role) for role in Role]

        assert {Refusal.NOT_YOUR_ROLE} == {refuse_role(one, "outlet.burn") for one in callers}
        assert {Refusal.NOT_YOUR_ROLE} == {refuse_role(one, "") for one in callers}

    def test_lets_an_approver_without_a_second_factor_do_nothing(self) -> None:
        """Not even look."""
        caller = a_caller(Role.APPROVER, has_factor=False)
        theirs = [action for action, rule in RULES.items() if Role.APPROVER in rule.roles]

        assert {Refusal.CODE_NEEDED} == {refuse_role(caller, action) for action in theirs}

    def test_lets_an_approver_with_one_approve(self) -> None:
        """And nobody else, however many factors they have."""
        assert None is refuse_role(a_caller(Role.APPROVER), "approval.approve")
        others = [a_caller(role, has_factor=True) for role in Role if role is not Role.APPROVER]
        assert {Refusal.NOT_YOUR_ROLE} == {refuse_role(one, "approval.approve") for one in others}


class TestRefuseScope:
    def test_keeps_people_to_their_regions_and_groups(self) -> None:
        """Both, where both are given; what is everywhere is not theirs."""
        caller = a_caller(
            Role.OPERATOR, scope=Scope(frozenset({"Biak"}), frozenset({"rice", "fuel"}))
        )
        here = Place("Biak", frozenset({"rice"}))

        assert None is refuse_scope(caller, here)
        for place in (here._replace(region="Jayapura"), Place("Biak"), EVERYWHERE):
            assert Refusal.NOT_YOUR_SCOPE is refuse_scope(caller, place)
        assert None is refuse_scope(a_caller(Role.OPERATOR), EVERYWHERE)


class TestNeedsTwo:
    def test_lets_one_add_operators_until_there_was_an_approver(self) -> None:
        """That alone: everything else waits for one."""
        assert not needs_two("operator.add", has_approver=False)
        assert needs_two("operator.add", has_approver=True)
        assert all(
            needs_two(action, has_approver=False)
            for action, rule in RULES.items()
            if rule.two_people and action != "operator.add"
        )
