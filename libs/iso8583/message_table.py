"""Build a dialect's columns of messages from its file, and check them against its fields."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from libs.iso8583.dialect_files import ActionsTable, MessagesFile, MessageTable
from libs.iso8583.faults import DialectBroken
from libs.iso8583.field import Field
from libs.iso8583.message_spec import Kind, Messages, MessageSpec, NetworkAction, NetworkCodes

OTHERWISE = "otherwise"


def build_messages(directory: Path, file: MessagesFile, fields: Mapping[int, Field]) -> Messages:
    """Return all columns; ``DialectBroken`` for two that claim one message and the like."""
    path = directory / "messages.toml"
    by_name = {name: _spec(path, name, table, fields) for name, table in file.message.items()}
    by_code: dict[tuple[str, str], MessageSpec] = {}
    by_mti: dict[str, MessageSpec] = {}
    for name, table in file.message.items():
        for mti in table.mti:
            taken = mti in by_mti or (not table.processing and any(mti == m for m, _ in by_code))
            taken = taken or any((mti, code) in by_code for code in table.processing)
            if taken:
                raise DialectBroken(f"{path}: message.{name}: another message claims {mti} too")
            if not table.processing:
                by_mti[mti] = by_name[name]
            by_code.update({(mti, code): by_name[name] for code in table.processing})
    return Messages(
        version=file.version,
        dropped_classes=frozenset(file.dropped_classes),
        key=tuple(file.identity.key),
        content=tuple(file.identity.content),
        by_name=MappingProxyType(by_name),
        by_code=MappingProxyType(by_code),
        by_mti=MappingProxyType(by_mti),
        fallback=MappingProxyType(
            {
                mti: _named(path, by_name, mti, name)
                for mti, name in file.fallback.items()
                if mti != OTHERWISE
            }
        ),
        otherwise=_named(path, by_name, OTHERWISE, file.fallback.get(OTHERWISE, "")),
    )


def _named(path: Path, by_name: Mapping[str, MessageSpec], row: str, name: str) -> MessageSpec:
    if name not in by_name:
        raise DialectBroken(f"{path}: fallback.{row}: there is no message {name!r}")
    return by_name[name]


def _spec(path: Path, name: str, table: MessageTable, fields: Mapping[int, Field]) -> MessageSpec:
    for number in table.fields:
        if number not in fields:
            place = f"{path}: message.{name}.fields.{number}"
            raise DialectBroken(f"{place}: fields.toml does not say its form")
    if (table.kind == "network") != (table.actions is not None):
        raise DialectBroken(f"{path}: message.{name}: actions belong to network messages alone")
    marks = {number: set(text.split()) for number, text in table.fields.items()}

    def marked(*letters: str) -> frozenset[int]:
        return frozenset(number for number, found in marks.items() if found & set(letters))

    return MessageSpec(
        name=name,
        kind=Kind(table.kind),
        mandatory=marked("M"),
        one_of=marked("C"),
        judged=marked("M", "C", "O"),
        echoed=marked("E"),
        answered=MappingProxyType(
            {
                number: frozenset(mark for mark in marks[number] if len(mark) > 1)
                for number in sorted(marked("A"))
            }
        ),
        amount=table.amount,
        currency=table.currency,
        reads_goods=table.goods,
        network=_network(table.actions),
    )


def _network(table: ActionsTable | None) -> NetworkCodes | None:
    if table is None:
        return None
    return NetworkCodes(
        processing=MappingProxyType(
            {code: NetworkAction(action) for code, action in table.processing.items()}
        ),
        code=MappingProxyType({code: NetworkAction(action) for code, action in table.code.items()}),
        neither=NetworkAction(table.neither),
    )
