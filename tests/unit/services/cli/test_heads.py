"""Heads go out and come back unchanged."""

import json
from pathlib import Path

import pytest

from services.cli.faults import CommandRefused
from services.cli.heads import heads_json, read_heads


class TestReadHeads:
    def test_reads_what_was_written(self, tmp_path: Path) -> None:
        """The form of lesko ledger head --json is the form of --head."""
        heads = {0: (5, "ab" * 32), 7: (1, "00" * 32)}
        path = tmp_path / "heads.json"
        path.write_text(json.dumps(heads_json(heads)))

        assert heads == read_heads(path)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            '{"heads": [{"partition": 1}]}',
            '{"heads":[{"partition":1,"batch_no":1,"hash":"xy"}]}',
        ],
    )
    def test_refuses_another_file(self, tmp_path: Path, text: str) -> None:
        """A wrong file is a sentence that names it."""
        path = tmp_path / "heads.json"
        path.write_text(text)

        with pytest.raises(CommandRefused, match=r"heads\.json holds no heads"):
            read_heads(path)
