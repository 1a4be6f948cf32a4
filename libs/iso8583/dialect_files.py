"""The files of a dialect as they stand on disk, checked one by one; the only pydantic in here."""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic import Field as Bounded

from libs.iso8583.faults import DialectBroken
from libs.iso8583.field import FieldClass, Mask

Seconds = Annotated[int, Bounded(ge=1, le=86_400)]
Number = Annotated[int, Bounded(ge=2, le=128)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{2}$")]
Mti = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
Digit = Annotated[str, StringConstraints(pattern=r"^[0-9]$")]
Carried = Annotated[
    str,
    StringConstraints(min_length=1, pattern=r"^[MCOKE]?( ?[EA]){0,2}( [0-9A-Z]{2})*$"),
]
Action = Literal["sign_on", "sign_off", "echo", "log_on"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FrameTable(_Table):
    """``[frame]`` of transport.toml."""

    length_bytes: Literal[2]
    length_max: Annotated[int, Bounded(ge=32, le=65_535)]
    tpdu: Literal["swap", "none"]
    tpdu_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}$")]


class ListenerTable(_Table):
    """``[listener]`` of transport.toml."""

    host: str
    port: Annotated[int, Bounded(ge=0, le=65_535)]
    zone: str


class DeadlineTable(_Table):
    """``[deadlines]`` of transport.toml."""

    first_message_s: Seconds
    frame_s: Seconds
    idle_s: Seconds
    answer_s: Seconds


class KeepaliveTable(_Table):
    """``[keepalive]`` of transport.toml."""

    interval_s: Seconds
    count: Annotated[int, Bounded(ge=1, le=100)]


class ConductTable(_Table):
    """``[conduct]`` of transport.toml."""

    dropped_in_a_row_max: Annotated[int, Bounded(ge=1)]
    sign_on_required: bool


class TransportFile(_Table):
    """transport.toml."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    frame: FrameTable
    listener: ListenerTable
    deadlines: DeadlineTable
    keepalive: KeepaliveTable
    conduct: ConductTable


class CodingTable(_Table):
    """``[coding]`` of fields.toml."""

    mti: Literal["bcd", "ascii"]
    bitmap: Literal["binary", "hex"]
    number: Literal["bcd", "ascii"]
    length: Literal["bcd", "ascii"]
    bytes: Literal["raw", "hex"]


class FieldRow(_Table):
    """One row of ``[field]`` in fields.toml."""

    name: str
    cls: Annotated[FieldClass, Bounded(alias="class")]
    length: Annotated[int, Bounded(ge=1, le=999)]
    style: Literal["", "LL", "LLL"] = ""
    pad: Literal["", "left", "right"] = ""
    accept: Annotated[str, StringConstraints(pattern=r"^[0-9A-F]+$")] = "0"
    mask: Mask = ""
    format: Literal["", "hhmmss", "MMDD"] = ""


class FieldsFile(_Table):
    """fields.toml."""

    coding: CodingTable
    field: dict[Number, FieldRow]


class ActionsTable(_Table):
    """``[message.*.actions]`` of messages.toml."""

    processing: dict[str, Action]
    code: dict[str, Action]
    neither: Action


class MessageTable(_Table):
    """``[message.*]`` of messages.toml."""

    kind: Literal["purchase", "inquiry", "reversal", "network", "unknown"]
    mti: list[Mti]
    processing: list[Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]] = []
    amount: Literal["positive", "any", "ignored"] = "ignored"
    currency: str = ""
    goods: bool = False
    fields: dict[Number, Carried]
    actions: ActionsTable | None = None


class IdentityTable(_Table):
    """``[identity]`` of messages.toml."""

    key: list[Number]
    content: list[Number]


class MessagesFile(_Table):
    """messages.toml."""

    version: Digit
    dropped_classes: list[Digit]
    identity: IdentityTable
    message: dict[str, MessageTable]
    fallback: dict[str, str]


class ResponseCodesFile(_Table):
    """response_codes.toml."""

    otherwise: Code
    outcome: dict[str, Code]
    meaning: dict[Code, str] = {}


class Files(NamedTuple):
    """A whole directory."""

    transport: TransportFile
    fields: FieldsFile
    messages: MessagesFile
    response_codes: ResponseCodesFile
    digest: str


_Model = TypeVar("_Model", bound=_Table)


def read_files(directory: Path) -> Files:
    """Read and check each file by itself; ``DialectBroken`` names file, place and trouble."""
    digest = sha256()
    return Files(
        transport=_read(directory / "transport.toml", TransportFile, digest),
        fields=_read(directory / "fields.toml", FieldsFile, digest),
        messages=_read(directory / "messages.toml", MessagesFile, digest),
        response_codes=_read(directory / "response_codes.toml", ResponseCodesFile, digest),
        digest=digest.hexdigest(),
    )


def _read(path: Path, model: type[_Model], digest: Any) -> _Model:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DialectBroken(f"{path}: cannot be read ({error.strerror})") from None
    digest.update(content)
    try:
        table = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DialectBroken(f"{path}: is not TOML ({error})") from None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DialectBroken(f"{path}: {place}: {first['msg']}") from None
