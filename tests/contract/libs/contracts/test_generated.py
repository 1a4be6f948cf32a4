"""The committed Python of the records is what their sources make."""

from pathlib import Path

from libs.contracts.generate import PACKAGE, ROOT, generate


def texts(folder: Path) -> dict[str, str]:
    """Return the generated files of a folder by name."""
    return {path.name: path.read_text() for path in folder.glob("*_pb2.py*")}


def test_equals_what_the_sources_make(tmp_path: Path) -> None:
    """Nobody changed a source without ``make proto``, and nobody edited what it makes."""
    generate(tmp_path)

    made = texts(tmp_path / PACKAGE)
    assert made
    assert made == texts(ROOT / "libs" / "contracts" / PACKAGE)


def test_differs_once_a_source_changes(tmp_path: Path) -> None:
    """The comparison would see one more field."""
    sources = tmp_path / "proto" / PACKAGE
    sources.mkdir(parents=True)
    for path in (ROOT / "proto" / PACKAGE).glob("*.proto"):
        text = path.read_text().replace(
            "message DeadRecord {", "message DeadRecord {\nbool x = 99;"
        )
        (sources / path.name).write_text(text)

    generate(tmp_path / "made", root=tmp_path)

    made = texts(tmp_path / "made" / PACKAGE)
    committed = texts(ROOT / "libs" / "contracts" / PACKAGE)
    changed = {name for name, text in made.items() if committed.get(name) != text}
    assert {"dead_pb2.py", "dead_pb2.pyi"} == changed
