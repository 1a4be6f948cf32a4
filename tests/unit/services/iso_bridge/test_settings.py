"""Settings come from the environment; the dialect fills what they leave out."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.iso_bridge.settings import BridgeKnobs, ListenerSettings, Settings


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flat variables are the first listener, JSON holds the others."""
    monkeypatch.setenv("LESKO_VAULT__KEYS_DIRECTORY", "keys")
    monkeypatch.setenv("LESKO_ISO_BRIDGE__PORT", "9000")
    monkeypatch.setenv("LESKO_ISO_BRIDGE__TLS__PORT", "9443")
    monkeypatch.setenv("LESKO_ISO_BRIDGE__TLS__CERTIFICATE", "a.pem")
    monkeypatch.setenv("LESKO_ISO_BRIDGE__TLS__KEY", "b.pem")
    monkeypatch.setenv(
        "LESKO_ISO_BRIDGE__MORE_LISTENERS", '[{"name": "wit", "zone": "Asia/Jakarta"}]'
    )

    settings = Settings()

    first, second = settings.iso_bridge.listeners
    assert ("edc", 9000, Path("a.pem")) == (
        first.name,
        first.port,
        first.tls and first.tls.certificate,
    )
    assert ("wit", None, "Asia/Jakarta") == (second.name, second.port, second.zone)
    assert settings.vault.keys_directory == Path("keys")


def test_leaves_the_dialect_its_word() -> None:
    """What nobody set is None, and the dialect's directory is there."""
    knobs = BridgeKnobs()

    assert (None, None, None, None) == (knobs.host, knobs.port, knobs.answer_ms, knobs.zone)
    assert (knobs.dialect_directory / "transport.toml").is_file()


def test_refuses_two_listeners_of_one_name() -> None:
    """Terminals are bound to a listener by its name."""
    with pytest.raises(ValidationError, match="same name"):
        BridgeKnobs(more_listeners=(ListenerSettings(),))


def test_refuses_a_zone_that_does_not_exist() -> None:
    """A wrong zone is found before a terminal is told a wrong time."""
    with pytest.raises(ValidationError):
        ListenerSettings(zone="Asia/Nowhere")
