"""Two versions side by side: what tomorrow writes, today reads, and the other way round.

Tomorrow is made here: every record of today with one field more, and every ``oneof`` body with one
kind more. While a rolling upgrade lasts both are on the topics.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)
from google.protobuf.message import Message

from libs.contracts.compatibility import describe
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.registry import RegistryView
from services.card_ledger.domain.command import Inquiry
from services.card_ledger.handlers.records import CommandBroken, read_command

TOMORROW = 1_900
BODY_OF_TOMORROW = 1_901
SAMPLES = {
    FieldDescriptor.CPPTYPE_STRING: "x",
    FieldDescriptor.CPPTYPE_BOOL: True,
}


def tomorrow() -> FileDescriptorSet:
    """Return today's records, each with one field more."""
    files = describe()
    for file in files.file:
        for message in file.message_type:
            _add(message, "of_tomorrow", TOMORROW)
            if message.oneof_decl:
                _add(message, "body_of_tomorrow", BODY_OF_TOMORROW).oneof_index = 0
    return files


def _add(message: DescriptorProto, name: str, number: int) -> FieldDescriptorProto:
    return message.field.add(
        name=name,
        number=number,
        type=FieldDescriptorProto.TYPE_STRING,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )


def classes(files: FileDescriptorSet) -> dict[str, type[Message]]:
    """Return the classes of all records by full name, in a pool of their own."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in _names(files)
    }


def _names(files: FileDescriptorSet) -> Iterator[str]:
    for file in files.file:
        for message in file.message_type:
            yield f"{file.package}.{message.name}"


@pytest.fixture(scope="module")
def today() -> dict[str, type[Message]]:
    return classes(describe())


@pytest.fixture(scope="module")
def later() -> dict[str, type[Message]]:
    return classes(tomorrow())


def filled(record: Message, depth: int = 3) -> Message:
    """Fill every field of a record with something; of a oneof the last one stays."""
    for field in record.DESCRIPTOR.fields:
        if field.number in {TOMORROW, BODY_OF_TOMORROW}:
            continue
        value = getattr(record, field.name)
        if field.message_type is not None:
            if depth:
                part = value.add() if field.is_repeated else value
                filled(part, depth - 1)
                part.SetInParent()
        elif field.is_repeated:
            value.append(_sample(field))
        else:
            setattr(record, field.name, _sample(field))
    return record


def _sample(field: Any) -> object:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"x"
    return SAMPLES.get(field.cpp_type, 1)


def names() -> list[str]:
    """Return the full name of every record."""
    return sorted(_names(describe()))


@pytest.mark.parametrize("name", names())
def test_tomorrow_reads_what_today_writes(
    name: str, today: dict[str, type[Message]], later: dict[str, type[Message]]
) -> None:
    """A new process finds every field of an old record, and nothing in the one that is new."""
    old = filled(today[name]())

    read = later[name].FromString(old.SerializeToString())

    assert old.SerializeToString(deterministic=True) == read.SerializeToString(deterministic=True)
    assert not read.HasField("of_tomorrow") if _has_presence(read) else not read.of_tomorrow  # type: ignore[attr-defined]  # -- made above


@pytest.mark.parametrize("name", names())
def test_today_reads_what_tomorrow_writes(
    name: str, today: dict[str, type[Message]], later: dict[str, type[Message]]
) -> None:
    """An old process finds every field that it knows, and hands on the one that it does not."""
    new = filled(later[name]())
    plain = new.SerializeToString(deterministic=True)
    new.of_tomorrow = "new"  # type: ignore[attr-defined]  # -- made above

    read = today[name].FromString(new.SerializeToString())

    assert later[name].FromString(read.SerializeToString()) == new
    read.DiscardUnknownFields()
    assert plain == read.SerializeToString(deterministic=True)


def _has_presence(record: Message) -> bool:
    return record.DESCRIPTOR.fields_by_name["of_tomorrow"].has_presence


def test_an_old_ledger_takes_a_command_of_tomorrow(later: dict[str, type[Message]]) -> None:
    """A field more changes nothing of what it does."""
    today_s = LedgerCommand(wallet=7)
    today_s.inquiry.SetInParent()
    new = later["lesko.v1.LedgerCommand"].FromString(today_s.SerializeToString())
    new.of_tomorrow = "new"  # type: ignore[attr-defined]  # -- made above

    command = read_command(new.SerializeToString(), 0)

    assert (7, Inquiry()) == (command.wallet, command.body)


def test_an_old_ledger_sets_aside_a_body_of_tomorrow(later: dict[str, type[Message]]) -> None:
    """What it cannot do it does not do by half: the loop gives it to the dead letters."""
    new = later["lesko.v1.LedgerCommand"]()
    new.body_of_tomorrow = "freeze"  # type: ignore[attr-defined]  # -- made above

    with pytest.raises(CommandBroken):
        read_command(new.SerializeToString(), 0)


def test_an_old_follower_passes_over_a_kind_of_tomorrow(later: dict[str, type[Message]]) -> None:
    """An entity that it does not know stops nobody."""
    new = later["lesko.v1.RegistryChange"].FromString(
        RegistryChange(entity="biller/1", version=1).SerializeToString()
    )
    new.body_of_tomorrow = "biller"  # type: ignore[attr-defined]  # -- made above

    assert not RegistryView().apply(RegistryChange.FromString(new.SerializeToString()))
