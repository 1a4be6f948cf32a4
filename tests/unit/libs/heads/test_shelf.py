"""Heads as files: whole or not at all, and never twice under one name."""

import asyncio
import json
from pathlib import Path

import pytest

from libs.heads import NameTaken, Shelf, ShelfUnusable, daily_name, moment_name

EVENING_MS = 1_795_650_900_000  # 2026-11-25 23:55 UTC.


def kept(directory: Path) -> dict[str, tuple[int, object]]:
    """Return the mode and content of every file, by name."""
    return {
        path.name: (path.stat().st_mode & 0o777, json.loads(path.read_text()))
        for path in directory.iterdir()
    }


class TestShelf:
    async def test_keeps_a_content(self, tmp_path: Path) -> None:
        """In a directory that it makes, readable by its group; nothing else stays there."""
        shelf = Shelf(tmp_path / "home" / "heads")

        place = await shelf.put("audit-1", {"no": 1})

        assert str(tmp_path / "home" / "heads" / "audit-1.json") == place
        assert {"audit-1.json": (0o640, {"no": 1})} == kept(tmp_path / "home" / "heads")
        assert (True, False) == (await shelf.has("audit-1"), await shelf.has("audit-2"))

    async def test_overwrites_nothing(self, tmp_path: Path) -> None:
        """Also when many write the same name at once: one of them did, and its content stands."""
        shelf = Shelf(tmp_path)

        results = await asyncio.gather(
            *(shelf.put("audit-1", {"no": no}) for no in range(8)), return_exceptions=True
        )

        assert 7 == sum(isinstance(one, NameTaken) for one in results)
        won = [no for no, one in enumerate(results) if isinstance(one, str)]
        assert {"audit-1.json": (0o640, {"no": won[0]})} == kept(tmp_path)

    async def test_names_a_place_that_cannot_be_used(self, tmp_path: Path) -> None:
        """And the setting that moves it."""
        (tmp_path / "file").write_text("")
        shelf = Shelf(tmp_path / "file" / "heads")

        with pytest.raises(ShelfUnusable, match=r"file/heads .*LESKO_HEADS__DIRECTORY"):
            await shelf.put("audit-1", {})
        assert not await shelf.has("audit-1")

    async def test_may_be_given_no_place(self) -> None:
        """Then nothing is kept, and whoever insists hears why."""
        shelf = Shelf(None)

        assert not shelf.is_given
        with pytest.raises(ShelfUnusable, match="LESKO_HEADS__DIRECTORY"):
            await shelf.put("audit-1", {})
        with pytest.raises(ShelfUnusable):
            await shelf.has("audit-1")


class TestNames:
    def test_are_of_the_day_or_of_the_second(self) -> None:
        """UTC, so that they sort and mean the same everywhere."""
        assert "audit-2026-11-25" == daily_name("audit", EVENING_MS)
        assert "audit-2026-11-25T235500Z" == moment_name("audit", EVENING_MS)
