"""Records written today are readable for ever: each way to break that is refused by name."""

from pathlib import Path

import pytest

from libs.contracts.compatibility import BASELINE, breaks, describe, main, read_baseline
from libs.contracts.generate import PACKAGE, ROOT

BROKEN = {
    "field removed": (
        "card_ledger",
        "  int64 wallet = 2;            // 0 when the card is not known.\n",
        "",
        ["field lesko.v1.LedgerCommand.wallet was removed"],
    ),
    "field renumbered": (
        "card_ledger",
        "bool is_replay = 8;",
        "bool is_replay = 10;",
        ["field lesko.v1.LedgerAnswer.is_replay was renumbered from 8 to 10"],
    ),
    "field renamed": (
        "dead",
        "string fault = 7;",
        "string reason = 7;",
        [
            "field lesko.v1.DeadRecord.fault was removed",
            "number 7 of lesko.v1.DeadRecord.fault was reused for reason",
        ],
    ),
    "field retyped": (
        "authorization",
        "int64 amount_minor = 5;",
        "int32 amount_minor = 5;",
        ["field lesko.v1.Reference.amount_minor was retyped"],
    ),
    "message type of a field changed": (
        "authorization",
        "repeated GoodsLine goods = 3;",
        "repeated Reference goods = 3;",
        ["field lesko.v1.AuthorizeRequested.goods was retyped"],
    ),
    "one value became many": (
        "card_ledger",
        "  int32 goods_class = 1;",
        "  repeated int32 goods_class = 1;",
        ["field lesko.v1.DebitLine.goods_class was retyped"],
    ),
    "field left its oneof": (
        "card_ledger",
        "    MovementsAsked movements = 16;\n  }",
        "  }\n  MovementsAsked movements = 16;",
        ["field lesko.v1.LedgerCommand.movements was retyped"],
    ),
    "number reused": (
        "envelope",
        "bytes trace_parent = 7;",
        "string tenant = 7; bytes trace_parent = 9;",
        [
            "field lesko.v1.Envelope.trace_parent was renumbered from 7 to 9",
            "number 7 of lesko.v1.Envelope.trace_parent was reused for tenant",
        ],
    ),
    "enum value renumbered": (
        "registry",
        "ENTITY_STATUS_CLOSED = 3;",
        "ENTITY_STATUS_CLOSED = 4;",
        ["enum value lesko.v1.EntityStatus.ENTITY_STATUS_CLOSED was renumbered from 3 to 4"],
    ),
    "enum value replaced": (
        "authorization",
        "OPERATION_REVERSAL = 3;",
        "OPERATION_VOID = 3;",
        [
            "enum value lesko.v1.Operation.OPERATION_REVERSAL was removed",
            "number 3 of lesko.v1.Operation.OPERATION_REVERSAL was reused for OPERATION_VOID",
        ],
    ),
    "message renamed": (
        "registry",
        "Programme",
        "Program",
        [
            "message lesko.v1.Programme was removed",
            "field lesko.v1.RegistryChange.programme was retyped",
        ],
    ),
}


def changed_sources(folder: Path, name: str, before: str, after: str) -> Path:
    """Copy the sources with one text exchanged; the text must stand there."""
    sources = folder / "proto" / PACKAGE
    sources.mkdir(parents=True)
    for path in (ROOT / "proto" / PACKAGE).glob("*.proto"):
        text = path.read_text()
        if path.stem == name:
            assert before in text
            text = text.replace(before, after)
        (sources / path.name).write_text(text)
    return folder


def test_sources_keep_every_promise() -> None:
    """Nothing that the baseline knows was taken away from the sources."""
    assert not breaks(read_baseline(), describe())


def test_baseline_knows_everything_that_was_added() -> None:
    """New fields are promised as soon as they land: ``make proto`` was run."""
    assert read_baseline() == describe()


@pytest.mark.parametrize("way", BROKEN)
def test_refuses_a_broken_copy(way: str, tmp_path: Path) -> None:
    """Each deliberate break is found, named, and nothing else is."""
    name, before, after, expected = BROKEN[way]

    found = breaks(describe(), describe(changed_sources(tmp_path, name, before, after)))

    assert expected == found


def test_accepts_what_only_adds(tmp_path: Path) -> None:
    """A new field, enum value or message breaks nobody."""
    after = (
        "message Added { int32 one = 1; }\n"
        "message DeadRecord {\n  Added added = 99;\n  reserved 100 to 110;"
    )
    copy = changed_sources(tmp_path, "dead", "message DeadRecord {", after)

    assert not breaks(describe(), describe(copy))


def test_refuses_to_free_what_was_reserved(tmp_path: Path) -> None:
    """A number that was given up stays unusable: old records still carry it."""
    begin = "message DeadRecord {"
    reserving = describe(
        changed_sources(
            tmp_path / "a", "dead", begin, f'{begin} reserved 90 to 95; reserved "old";'
        )
    )
    narrower = describe(
        changed_sources(tmp_path / "b", "dead", begin, f"{begin} reserved 91 to 95;")
    )

    expected = [
        "reserved numbers 90 to 95 of lesko.v1.DeadRecord were freed",
        "reserved name lesko.v1.DeadRecord.old was freed",
    ]
    assert expected == breaks(reserving, narrower)


def test_does_not_promise_a_break(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--accept`` leaves the baseline as it was when the sources break it, and says why."""
    baseline = tmp_path / "baseline.textproto"
    baseline.write_text(BASELINE.read_text())
    copy = changed_sources(tmp_path, "dead", "  string fault = 7;", "//")

    assert 1 == main(["--accept"], root=copy, baseline=baseline)
    assert BASELINE.read_text() == baseline.read_text()
    assert "field lesko.v1.DeadRecord.fault was removed" in capsys.readouterr().err
