"""Demo records of the registry."""

from collections import Counter

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from services.cli.seeding.registry import registry_changes
from services.cli.seeding.rules import read_rules


def changes(*, with_keys: bool = False) -> dict[str, RegistryChange]:
    found = registry_changes(read_rules(), outlets=4, with_keys=with_keys, now_ms=7)
    return {change.entity: change for change in found}


class TestRegistryChanges:
    def test_gives_every_entity_once(self) -> None:
        """Products, a programme, groups, outlets and their terminals, all different."""
        bodies = Counter(str(change.WhichOneof("body")) for change in changes().values())

        assert {
            "outlet": 4, "outlet_group": 2, "product": 2, "programme": 1, "terminal": 4,
        } == bodies  # fmt: skip

    def test_puts_even_outlets_into_the_programme(self) -> None:
        """Programme 1 allows the group of the even outlets and every class of goods."""
        found = changes().values()
        programme = next(each.programme for each in found if each.HasField("programme"))
        outlets = [each.outlet for each in found if each.HasField("outlet")]
        allowed = [o.number for o in outlets if set(o.groups) & set(programme.outlet_groups)]

        assert ([2, 4], []) == (allowed, list(programme.goods_classes))

    def test_lets_demo_terminals_omit_the_mac_unless_keys_are_wanted(self) -> None:
        """--with-keys turns both marks round."""
        plain = [c.terminal for c in changes().values() if c.HasField("terminal")]
        keyed = [c.terminal for c in changes(with_keys=True).values() if c.HasField("terminal")]

        assert {(False, True)} == {(t.has_mac_key, t.may_omit_mac) for t in plain}
        assert {(True, False)} == {(t.has_mac_key, t.may_omit_mac) for t in keyed}
