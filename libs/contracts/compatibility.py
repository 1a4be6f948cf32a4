"""Refuse changes of proto/lesko/v1 after which older records read wrong.

``python -m libs.contracts.compatibility`` compares the sources with the committed baseline;
``--accept`` then writes the new baseline. What only adds messages, fields and enum values passes.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)

from libs.contracts.generate import PACKAGE, ROOT

BASELINE = ROOT / "proto" / "lesko" / "baseline.textproto"


def describe(root: Path = ROOT) -> FileDescriptorSet:
    """Return the descriptors of all sources below ``root``; SystemExit when protoc refuses them."""
    from grpc_tools import protoc  # noqa: PLC0415 -- a tool of developers, absent at run time

    sources = sorted(str(path) for path in (root / "proto" / PACKAGE).glob("*.proto"))
    with TemporaryDirectory() as folder:
        made = Path(folder) / "descriptors"
        options = [f"-I{root / 'proto'}", f"--descriptor_set_out={made}"]
        if protoc.main(["protoc", *options, *sources]) != 0:
            message = "protoc refused the sources; its message stands above"
            raise SystemExit(message)
        return FileDescriptorSet.FromString(made.read_bytes())


def read_baseline(path: Path = BASELINE) -> FileDescriptorSet:
    """Return what was promised so far."""
    return text_format.Parse(path.read_text(), FileDescriptorSet())


def breaks(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """Return a sentence for each way in which ``new`` breaks what ``old`` promised; empty: none."""
    old_messages, new_messages = dict(_messages(old)), dict(_messages(new))
    old_enums, new_enums = dict(_enums(old)), dict(_enums(new))
    found = _missing("message", old_messages, new_messages)
    found += _missing("enum", old_enums, new_enums)
    for name in sorted(old_messages.keys() & new_messages.keys()):
        found += _message_breaks(name, old_messages[name], new_messages[name])
    for name in sorted(old_enums.keys() & new_enums.keys()):
        found += _enum_breaks(name, old_enums[name], new_enums[name])
    return found


def _messages(files: FileDescriptorSet) -> Iterator[tuple[str, DescriptorProto]]:
    for file in files.file:
        waiting = [(f"{file.package}.{message.name}", message) for message in file.message_type]
        while waiting:
            name, message = waiting.pop()
            yield name, message
            waiting += [(f"{name}.{nested.name}", nested) for nested in message.nested_type]


def _enums(files: FileDescriptorSet) -> Iterator[tuple[str, EnumDescriptorProto]]:
    for file in files.file:
        for enum in file.enum_type:
            yield f"{file.package}.{enum.name}", enum
    for name, message in _messages(files):
        for enum in message.enum_type:
            yield f"{name}.{enum.name}", enum


def _missing(what: str, old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [f"{what} {name} was removed" for name in sorted(old.keys() - new.keys())]


def _message_breaks(name: str, old: DescriptorProto, new: DescriptorProto) -> list[str]:
    by_name = {field.name: field for field in new.field}
    by_number = {field.number: field for field in new.field}
    found = []
    for field in old.field:
        same = by_name.get(field.name)
        heir = by_number.get(field.number)
        label = f"{name}.{field.name}"
        if same is None:
            found.append(f"field {label} was removed")
        elif same.number != field.number:
            found.append(f"field {label} was renumbered from {field.number} to {same.number}")
        elif _form(old, field) != _form(new, same):
            found.append(f"field {label} was retyped")
        if heir is not None and heir.name != field.name:
            found.append(f"number {field.number} of {label} was reused for {heir.name}")
    return found + _freed(name, old, new)


def _freed(name: str, old: DescriptorProto, new: DescriptorProto) -> list[str]:
    found = [
        f"reserved numbers {span.start} to {span.end - 1} of {name} were freed"
        for span in old.reserved_range
        if not any(kept.start <= span.start and span.end <= kept.end for kept in new.reserved_range)
    ]
    freed = sorted(set(old.reserved_name) - set(new.reserved_name))
    return found + [f"reserved name {name}.{word} was freed" for word in freed]


def _form(owner: DescriptorProto, field: FieldDescriptorProto) -> tuple[object, ...]:
    """Return all that decides how a field reads: type, repetition, presence and its oneof."""
    choice = owner.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return field.type, field.type_name, field.label, field.proto3_optional, choice


def _enum_breaks(name: str, old: EnumDescriptorProto, new: EnumDescriptorProto) -> list[str]:
    numbers = {value.name: value.number for value in new.value}
    names = {value.number: value.name for value in new.value}
    found = []
    for value in old.value:
        label = f"{name}.{value.name}"
        if value.name not in numbers:
            found.append(f"enum value {label} was removed")
        elif numbers[value.name] != value.number:
            found.append(
                f"enum value {label} was renumbered from {value.number} to {numbers[value.name]}"
            )
        if names.get(value.number, value.name) != value.name:
            found.append(f"number {value.number} of {label} was reused for {names[value.number]}")
    return found


def main(arguments: list[str], root: Path = ROOT, baseline: Path = BASELINE) -> int:
    """Compare, say what breaks, and with ``--accept`` promise the sources from now on."""
    sources = describe(root)
    found = breaks(read_baseline(baseline), sources) if baseline.exists() else []
    for sentence in found:
        sys.stderr.write(f"{sentence}: older records would read wrong\n")
    if found:
        return 1
    if "--accept" in arguments:
        baseline.write_text(text_format.MessageToString(sources))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
