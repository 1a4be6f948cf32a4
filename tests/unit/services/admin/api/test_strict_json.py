"""JSON as admin takes it; everything else is refused before anything is built of it."""

import json

import pytest

from services.admin.api.strict_json import DEPTH_MAX, NotOurJson, check_json, is_plain

HALF = "\\ud800"


class TestCheckJson:
    @pytest.mark.parametrize(
        "text",
        [
            "{}",
            "[]",
            "null",
            '{"a":[1,-2,{"b":"c"}],"d":null,"e":true}',
            '{"a":"\\u00e9 \\n \\t \\" \\\\"}',
            '{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[["}',
            "9223372036854775807",
            "-9223372036854775807",
            "[" * DEPTH_MAX + "]" * DEPTH_MAX,
            '{"x":{"a":1},"y":{"a":1}}',
        ],
    )
    def test_takes_what_is_plain(self, text: str) -> None:
        """Brackets within texts are no nesting; a key may stand again in another object."""
        assert json.loads(text) == check_json(text.encode())

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("{'a':1}", "not JSON"),
            ("[1,]", "not JSON"),
            ("\ufeff{}", "not JSON"),
            ('{"a":1,"a":1}', "twice"),
            ('{"x":[{"a":1,"b":2,"a":3}]}', "twice"),
            ("NaN", "not whole"),
            ("[Infinity]", "not whole"),
            ("[-Infinity]", "not whole"),
            ("1.5", "not whole"),
            ("1.0", "not whole"),
            ("1e400", "not whole"),
            ("9223372036854775808", "too large"),
            ("-9223372036854775808", "too large"),
            ("9" * 100_000, "too large"),
            ('["a\\u0000"]', "control"),
            ('{"a\\u001b":1}', "control"),
            ('["\\u0085"]', "control"),
            (f'["{HALF}"]', "control"),
            ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "deeper"),
            ("[" * 100_000, "deeper"),
            ('{"a":' * 100_000, "deeper"),
        ],
    )
    def test_refuses_the_rest(self, text: str, why: str) -> None:
        """And says what is wrong, never what stood there."""
        with pytest.raises(NotOurJson, match=why):
            check_json(text.encode())

    def test_refuses_other_encodings(self) -> None:
        """UTF-8 alone."""
        with pytest.raises(NotOurJson, match="UTF-8"):
            check_json('{"a":"é"}'.encode("latin-1"))

    @pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '"' + '\\"' * 500_000 + "\\"])
    def test_does_not_go_back_over_texts_without_an_end(self, text: str) -> None:
        """A megabyte of escaped quotes takes as long as any other; going back takes hours."""
        with pytest.raises(NotOurJson):
            check_json(text.encode())


class TestIsPlain:
    def test_knows_control_characters(self) -> None:
        """Tab and new line are none of them."""
        assert is_plain("Kios Maju\n\t")
        assert not any(map(is_plain, ("\0", "\x1b[2J", "\x7f", "\r\x08")))
