"""Files of rights: read, checked, and turned into single rights."""

from pathlib import Path

import pytest

from libs.pg import RightsFault, read_rights
from libs.pg.rights import Difference, Right

TEXT = """
[tables]
coin = ["SELECT", "UPDATE (worth, \\"year\\")"]
"""


def write(directory: Path, text: str) -> Path:
    path = directory / "rights.toml"
    path.write_text(text)
    return path


def test_name_tables_columns_and_functions(tmp_path: Path) -> None:
    """Each right by itself, functions with their arguments, and the schema may be used."""
    path = write(
        tmp_path,
        '[tables]\ncoin = ["SELECT", "UPDATE (worth, year)"]\nnote = []\n'
        '[functions]\nexecute = ["count_coins"]\n',
    )
    routines = {"shop.count_coins(integer)": "count_coins", "shop.melt()": "melt"}

    assert {
        Right("SCHEMA", "shop", "USAGE"),
        Right("TABLE", "coin", "SELECT"),
        Right("TABLE", "coin", "UPDATE", "worth"),
        Right("TABLE", "coin", "UPDATE", "year"),
        Right("ROUTINE", "shop.count_coins(integer)", "EXECUTE"),
    } == read_rights(path).on("shop", ["coin", "note", "till"], routines)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        '[tables]\ncoin = ["TRUNCATE"]\n',
        '[tables]\ncoin = ["ALL"]\n',
        '[tables]\ncoin = ["SELECT; DROP TABLE coin"]\n',
        '[tables]\ncoin = ["SELECT ()"]\n',
        "[functions]\n",
        "tables",
    ],
)
def test_are_refused(tmp_path: Path, text: str) -> None:
    """What is no right of this kind is a sentence, not a statement for the database."""
    with pytest.raises(RightsFault, match=r"rights\.toml is no file of rights"):
        read_rights(write(tmp_path, text))


def test_on_what_is_not_there_are_refused(tmp_path: Path) -> None:
    """A table or function that was renamed is named."""
    path = write(tmp_path, '[tables]\ncion = ["SELECT"]\n[functions]\nexecute = ["melt"]\n')

    with pytest.raises(RightsFault, match="on cion, melt, not in shop"):
        read_rights(path).on("shop", ["coin"], {})


def test_become_statements_with_every_name_quoted() -> None:
    """Schemas may bear words of SQL."""
    right = Right("TABLE", "card", "UPDATE", "status")

    assert (
        'GRANT UPDATE ("status") ON TABLE "authorization"."card" TO "lesko_authorization"'
        == Difference(is_missing=True, grantee="lesko_authorization", right=right).statement(
            "authorization"
        )
    )
    assert 'REVOKE UPDATE ("status") ON TABLE "authorization"."card" FROM PUBLIC' == Difference(
        is_missing=False, grantee="PUBLIC", right=right
    ).statement("authorization")
