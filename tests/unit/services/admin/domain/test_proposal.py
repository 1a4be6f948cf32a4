"""Who may decide a proposal, and what an approval agrees to."""

from services.admin.domain.act import Act, content_hash
from services.admin.domain.proposal import (
    Proposal,
    ProposalState,
    is_intact,
    refuse_decision,
)
from services.admin.domain.refusal import Refusal

ACT = Act("product.set", "product/standard", {"ceiling": 1}, "because", "paper 7")


def a_proposal(state: ProposalState = ProposalState.OPEN) -> Proposal:
    return Proposal(
        number=1,
        act=ACT,
        version=4,
        hash=content_hash(ACT, version=4),
        maker=1,
        maker_login="ani",
        made_ms=0,
        state=state,
    )


class TestRefuseDecision:
    def test_lets_another_person_decide_what_they_saw(self) -> None:
        """An open one, by its hash."""
        proposal = a_proposal()

        assert None is refuse_decision(proposal, checker=2, agreed=proposal.hash)

    def test_refuses_its_maker(self) -> None:
        """Whatever they are by now, and also when it is decided already."""
        for state in ProposalState:
            proposal = a_proposal(state)

            assert Refusal.MAKER_IS_CHECKER is refuse_decision(
                proposal, checker=1, agreed=proposal.hash
            )

    def test_refuses_a_second_decision(self) -> None:
        """Whatever the first one was."""
        for state in set(ProposalState) - {ProposalState.OPEN}:
            proposal = a_proposal(state)

            assert Refusal.DECIDED is refuse_decision(proposal, checker=2, agreed=proposal.hash)

    def test_refuses_an_agreement_to_something_else(self) -> None:
        """The checker read another content."""
        assert Refusal.CHANGED_MEANWHILE is refuse_decision(
            a_proposal(), checker=2, agreed=bytes(32)
        )


class TestIsIntact:
    def test_holds_for_what_was_proposed(self) -> None:
        """Its content gives its hash."""
        assert is_intact(a_proposal())

    def test_fails_when_any_part_changed(self) -> None:
        """Action, entity, content, reason, document, version: all of it was agreed to."""
        others = [
            ACT._replace(action="product.add"),
            ACT._replace(entity="product/other"),
            ACT._replace(content={"ceiling": 2}),
            ACT._replace(reason="because "),
            ACT._replace(document="paper 8"),
        ]

        assert not any(is_intact(a_proposal()._replace(act=other)) for other in others)
        assert not is_intact(a_proposal()._replace(version=5))


class TestContentHash:
    def test_does_not_depend_on_the_order_of_keys(self) -> None:
        """Nor does it let one part run into the next."""
        one = Act("a", "b", {"x": 1, "y": 2})
        other = Act("a", "b", {"y": 2, "x": 1})

        assert content_hash(one, version=1) == content_hash(other, version=1)
        assert content_hash(Act("ab", "c", {}), version=1) != content_hash(
            Act("a", "bc", {}), version=1
        )
