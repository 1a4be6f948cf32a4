"""Which services there are, and in which order they start."""

import pytest

from services.cli.embedded import choose_services
from services.cli.faults import CommandRefused


class TestChooseServices:
    def test_gives_all_in_their_order_for_none(self) -> None:
        """The registry first, the terminals last."""
        names = [part.name for part in choose_services([])]

        assert ["admin", "card_ledger", "authorization", "iso_bridge"] == names

    def test_refuses_a_name_that_is_none(self) -> None:
        """The sentence lists what there is."""
        with pytest.raises(CommandRefused, match="no service topop; there are admin"):
            choose_services(["topop"])
