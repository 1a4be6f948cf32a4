"""Where admin may be served: on this machine, or over TLS."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.admin.settings import AdminKnobs

TLS: dict[str, Any] = {"tls_certificate": Path("c.pem"), "tls_key": Path("k.pem")}


class TestAdminKnobs:
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
    def test_serves_this_machine_in_clear(self, host: str) -> None:
        """Nothing leaves it."""
        assert host == AdminKnobs(host=host).host

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "admin.example", ""])
    def test_serves_others_over_tls_alone(self, host: str) -> None:
        """Passwords would cross the network in clear."""
        with pytest.raises(ValidationError, match="in clear"):
            AdminKnobs(host=host)

        assert host == AdminKnobs(host=host, **TLS).host

    @pytest.mark.parametrize("only", sorted(TLS))
    def test_wants_both_files(self, only: str) -> None:
        """A certificate without its key is of no use."""
        with pytest.raises(ValidationError, match="belong together"):
            AdminKnobs(**{only: TLS[only]})
