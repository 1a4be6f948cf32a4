"""The place of an exception is told without its text."""

from libs.observe import place_of


def deepest() -> None:
    raise ValueError("secret text")


def test_names_the_innermost_frame() -> None:
    """File, line and function of where it was raised, nothing of what it says."""
    try:
        deepest()
    except ValueError as fault:
        place = place_of(fault)
    else:
        place = ""

    assert place.startswith("libs/observe/test_trouble.py:")
    assert place.endswith(" deepest")
    assert "secret" not in place


def test_is_empty_for_one_that_was_not_raised() -> None:
    """An exception without a trace has no place."""
    assert "" == place_of(ValueError("x"))
