"""Whatever goes wrong outside of our own code becomes one sentence."""

import pytest
from pydantic import ValidationError

from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.faults import CommandRefused, sentence_of


class TestSentenceOf:
    def test_finds_the_fault_inside_nested_groups(self) -> None:
        """A task group wraps what a service raised; the sentence is the service's."""
        inner = ExceptionGroup("tasks", [CommandRefused("The port is taken.")])

        assert "The port is taken." == sentence_of(ExceptionGroup("all", [inner]))

    def test_names_variables_and_never_their_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing DSN is named as the variable that would hold it."""
        monkeypatch.delenv("LESKO_POSTGRES__DSN", raising=False)
        monkeypatch.setenv("LESKO_CARD_LEDGER__PARTITIONS", "secret-words")

        with pytest.raises(ValidationError) as caught:
            LedgerSettings.model_validate({})
        sentence = sentence_of(caught.value)

        assert sentence is not None
        assert "LESKO_CARD_LEDGER__PARTITIONS" in sentence
        assert "LESKO_POSTGRES" in sentence
        assert "secret-words" not in sentence

    def test_goes_on_from_the_name_of_the_variable(self) -> None:
        """What our own checks complain of reads as one sentence, without a part of the value."""
        with pytest.raises(ValidationError) as caught:
            LedgerSettings.model_validate({"postgres": {"dsn": "postgresql://u:hun/ter2@h/db"}})

        assert (
            "Settings are missing or wrong. LESKO_POSTGRES__DSN is no address of a database; write"
            " it like postgresql://user:password@host:port/name, special characters"
            " percent-encoded."
        ) == sentence_of(caught.value)

    def test_tells_what_the_machine_refused(self) -> None:
        """A full disk is told with its file."""
        problem = OSError(28, "No space left on device", "/data/x")

        assert "The machine refused: No space left on device (/data/x)." == sentence_of(problem)

    def test_leaves_our_own_mistakes_their_traceback(self) -> None:
        """A programming error is no sentence."""
        assert None is sentence_of(AssertionError("ours"))
