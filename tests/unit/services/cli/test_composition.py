"""Which services there are, in which order they start, and what each needs."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from libs.bus.kafka.settings import KafkaSettings
from libs.contracts.topics import BRIDGE_ANSWERS, REGISTRY, REQUESTS
from services.cli.composition import (
    SERVICES,
    check_settings,
    choose_services,
    overrides,
    own,
    with_watches,
)
from services.cli.faults import CommandRefused
from services.cli.logins import OWNERS, Logins
from services.cli.settings import Settings
from services.iso_bridge.settings import Settings as BridgeSettings

ON_MEMORY = Settings(kafka=None)
ON_KAFKA = Settings(kafka=KafkaSettings(bootstrap="broker:9092"))

WITH_FILES = Logins(SecretStr("postgresql://owner@db/lesko"), {}, Path("/nowhere"))


class TestChooseServices:
    @pytest.mark.parametrize("settings", [ON_MEMORY, ON_KAFKA])
    def test_gives_all_in_their_order_for_none(self, settings: Settings) -> None:
        """The registry first, the terminals last."""
        names = [part.name for part in choose_services([], settings)]

        assert ["admin", "card_ledger", "authorization", "iso_bridge"] == names

    def test_refuses_a_name_that_is_none(self) -> None:
        """The sentence lists what there is."""
        with pytest.raises(CommandRefused, match="no service topop; there are admin"):
            choose_services(["topop"], ON_KAFKA)

    def test_refuses_some_of_them_on_the_memory_bus(self) -> None:
        """The sentence names the variable that makes it possible."""
        with pytest.raises(CommandRefused, match="LESKO_KAFKA__BOOTSTRAP"):
            choose_services(["iso_bridge"], ON_MEMORY)

    def test_gives_any_of_them_on_kafka(self) -> None:
        """In the order of starting, whatever was asked."""
        parts = choose_services(["iso_bridge", "admin"], ON_KAFKA)

        assert ["admin", "iso_bridge"] == [part.name for part in parts]


class TestNeeds:
    def test_of_a_bridge_are_topics_and_keys_alone(self) -> None:
        """No tables, no DSN, no watch of a database."""
        [bridge] = choose_services(["iso_bridge"], ON_KAFKA)

        assert (None, {REQUESTS, BRIDGE_ANSWERS, REGISTRY}) == (bridge.schema, {*bridge.topics})
        check_settings([bridge], overrides(ON_KAFKA, None))
        names = [part.name for part in with_watches([bridge], ON_KAFKA, None)]
        assert ["loop watch", "bus watch", "iso_bridge"] == names

    def test_of_the_others_is_a_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a DSN their settings cannot be read."""
        monkeypatch.delenv("LESKO_POSTGRES__DSN", raising=False)
        for part in SERVICES[:-1]:
            with pytest.raises(ValidationError, match="postgres"):
                check_settings([part], overrides(ON_KAFKA, None))
            check_settings([part], overrides(ON_KAFKA, WITH_FILES))

    def test_are_met_by_each_service_alone(self) -> None:
        """Each enters by its own login; the bridge by none."""
        logins = Logins(None, {name: SecretStr(f"postgresql://{name}@db/x") for name in OWNERS},
                        Path())  # fmt: skip
        over = overrides(ON_KAFKA, logins)
        entered = {name: own(over, name)["postgres"]["dsn"].get_secret_value() for name in OWNERS}

        assert {name: f"postgresql://{name}@db/x" for name in OWNERS} == entered
        assert "postgres" not in own(over, "iso_bridge")

    def test_on_memory_are_no_claim(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No other bridge can have the answers; the rest is as the environment says."""
        monkeypatch.setenv("LESKO_ISO_BRIDGE__PORT", "8600")
        knobs = [
            BridgeSettings.model_validate(own(overrides(settings, None), "iso_bridge")).iso_bridge
            for settings in (ON_MEMORY, ON_KAFKA)
        ]

        assert [(0, 8600), (1_000, 8600)] == [(each.claim_ms, each.port) for each in knobs]

    def test_on_memory_watch_no_bus(self) -> None:
        """It is in the process."""
        names = [part.name for part in with_watches([], ON_MEMORY, WITH_FILES)]

        assert ["loop watch", "database watch"] == names


class TestSettings:
    def test_choose_kafka_by_its_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One variable switches; without it the bus is memory."""
        monkeypatch.delenv("LESKO_KAFKA__BOOTSTRAP", raising=False)
        assert Settings().kafka is None
        monkeypatch.setenv("LESKO_KAFKA__BOOTSTRAP", "broker:9092")

        assert KafkaSettings(bootstrap="broker:9092") == Settings().kafka

    def test_take_the_dsn_from_a_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As every service does."""
        (tmp_path / "dsn").write_text("postgresql://x\n")
        monkeypatch.delenv("LESKO_POSTGRES__DSN", raising=False)
        monkeypatch.setenv("LESKO_POSTGRES__DSN_FILE", str(tmp_path / "dsn"))

        found = Settings().postgres.dsn
        assert found is not None
        assert "postgresql://x" == found.get_secret_value()
