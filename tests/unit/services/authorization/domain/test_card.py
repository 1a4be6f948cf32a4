"""Cards and purses: their order, and which of them are still valid."""

from libs.contracts.accounts import purse_account
from libs.fakes.cards import A_DAY, a_card, a_purse
from services.authorization.domain.card import accounts_shown, sort_purses, valid_purses

SOON = a_purse(number=3, programme=2, valid_until=A_DAY)
LATER = a_purse(number=1, programme=1, valid_until=A_DAY + 1)


class TestSortPurses:
    def test_puts_the_first_to_expire_first(self) -> None:
        """Expiry comes before every number."""
        assert (SOON, LATER) == sort_purses([LATER, SOON])

    def test_breaks_ties_by_programme_number(self) -> None:
        """Of purses that expire together the lower programme pays first, whatever its purse."""
        low = a_purse(number=5, programme=1)
        high = a_purse(number=1, programme=2)

        assert (low, high) == sort_purses([high, low])


class TestValidPurses:
    def test_keeps_a_purse_on_its_last_day(self) -> None:
        """Valid until a day means that day too."""
        assert (SOON, LATER) == valid_purses(a_card(purses=(SOON, LATER)), A_DAY)

    def test_leaves_out_a_purse_the_day_after(self) -> None:
        """One day later the first purse is gone, the other one stays."""
        assert (LATER,) == valid_purses(a_card(purses=(SOON, LATER)), A_DAY + 1)


class TestAccountsShown:
    def test_shows_the_own_purse_first(self) -> None:
        """The own purse, then every valid restricted one by expiry."""
        expected = [purse_account(7), SOON.account, LATER.account]

        assert expected == accounts_shown(a_card(purses=(SOON, LATER)), A_DAY)

    def test_shows_no_purse_that_has_expired(self) -> None:
        """What cannot be spent any more is no balance."""
        assert [purse_account(7)] == accounts_shown(a_card(purses=(SOON,)), A_DAY + 1)
