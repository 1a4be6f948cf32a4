"""What an answer takes over from its request."""

from collections.abc import Callable

import pytest

from libs.iso8583 import Answers, Codec, Dialect, FieldValue, Message, answer_mti, check_form

Build = Callable[..., dict[int, FieldValue]]


@pytest.mark.parametrize(
    ("request_mti", "expected"),
    [
        ("0200", "0210"),
        ("0201", "0210"),
        ("0100", "0110"),
        ("0400", "0410"),
        ("0401", "0410"),
        ("0420", "0430"),
        ("0421", "0430"),
        ("0800", "0810"),
        ("0223", "0230"),
    ],
)
def test_answers_with_the_next_function_and_no_origin(request_mti: str, expected: str) -> None:
    """Function digit + 1, origin digit 0."""
    assert expected == answer_mti(request_mti)


class TestEcho:
    def test_echoes_what_the_column_marks(
        self, codec: Codec, dialect: Dialect, a_purchase: Build
    ) -> None:
        """Ascending, as they came; entry mode, track and private fields are not echoed."""
        sent = a_purchase(
            {7: "1124011500", 14: "3012", 35: "9360099900000016D3012", 37: "A" * 12, 48: "XX00",
             60: "1", 62: "000001", 63: "2"}
        )  # fmt: skip
        message = codec.decode(codec.encode("0200", sent))
        answers, spec = Answers(), check_form(message, dialect).spec

        expected = (2, 3, 4, 7, 11, 12, 13, 24, 37, 41, 42, 49, 62)
        assert expected == answers.answer_fields(message, spec)
        echoed = answers.echo(message, spec)
        assert expected == tuple(echoed)
        assert all(echoed[number] is message.fields[number] for number in expected)

    def test_gives_a_dict_of_its_own(
        self, codec: Codec, dialect: Dialect, a_purchase: Build
    ) -> None:
        """Adding DE39 to an answer leaves the message and the next answer alone."""
        message = codec.decode(codec.encode("0200", a_purchase()))
        answers, spec = Answers(), check_form(message, dialect).spec

        answers.echo(message, spec)[39] = "00"

        assert 39 not in message.fields
        assert 39 not in answers.echo(message, spec)

    def test_does_not_echo_what_was_misformed(
        self, codec: Codec, dialect: Dialect, a_purchase: Build
    ) -> None:
        """An answer 30 echoes what was read well."""
        message = codec.decode(codec.encode("0200", a_purchase({13: "0230"})))
        form = check_form(message, dialect)

        echoed = Answers().answer_fields(message, form.spec)

        assert (2, 3, 4, 11, 12, 24, 41, 42, 49) == echoed

    def test_echoes_a_type_that_nobody_serves(
        self, codec: Codec, dialect: Dialect, a_purchase: Build
    ) -> None:
        """An answer 12 echoes what any column would."""
        message = codec.decode(codec.encode("0500", a_purchase({70: "301"})))
        form = check_form(message, dialect)

        echoed = Answers().answer_fields(message, form.spec)

        assert (2, 3, 4, 11, 12, 13, 24, 41, 42, 49, 70) == echoed

    def test_does_not_echo_the_time_of_a_network_message(
        self, codec: Codec, dialect: Dialect
    ) -> None:
        """An 0810 carries our time, also when a time was sent."""
        fields = {2: "1", 11: "000001", 12: "101500", 13: "1124", 41: "LSK00001", 70: "301"}
        message = codec.decode(codec.encode("0800", fields))
        form = check_form(message, dialect)

        assert (11, 41, 70) == Answers().answer_fields(message, form.spec)
        assert {12, 13, 39} <= form.spec.answered.keys()

    def test_forgets_shapes_before_they_grow(self, dialect: Dialect) -> None:
        """Shapes of requests are chosen by others."""
        answers, spec = Answers(), dialect.messages.by_name["purchase"]

        for number in range(3000):
            answers.answer_fields(Message("0200", {11: "000001", 1000 + number: "x"}), spec)

        assert len(answers._known) <= 1024
