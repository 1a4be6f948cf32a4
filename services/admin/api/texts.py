"""Texts that people write and that are kept for ever: none may name a card by its number."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from libs.observe.redaction import redact_text


def _names_no_card(text: str) -> str:
    if redact_text(text) != text:
        raise PydanticCustomError("card_number", "names a card by its number")
    return text


Text = Annotated[str, AfterValidator(_names_no_card)]
"""What would stand in audit or statement with a card number in clear is refused at once."""
