"""What is fuzzed: each target takes any bytes, and raises nothing unless something is wrong.

A target looks inside of every catch-all: what the product would count as "failed" fails here.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from random import Random
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from libs.bus import Record
from libs.contracts import topics
from libs.contracts.lesko.v1.authorization_pb2 import OPERATION_PURCHASE, AuthorizeRequested
from libs.contracts.lesko.v1.card_pb2 import CardCommand, ShowCard
from libs.contracts.lesko.v1.registry_pb2 import Outlet, RegistryChange
from libs.fakes.ledger import a_purchase, a_reference, a_reversal
from libs.iso8583 import Codec, DecodeFault, load_dialect
from libs.iso8583.dialect import Dialect
from libs.iso8583.exact_decoder import ExactDecoder
from libs.iso8583.framing import FrameReader
from libs.iso8583.golden import read_golden
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec, plain
from libs.iso8583.tags import build_tags, parse_tags
from libs.registry import RegistryView
from libs.registry.view import ChangeBroken
from loadtests.frames import TPDU, TPDU_AT
from services.admin.api.strict_json import NotOurJson, check_json
from services.authorization.handlers.card_records import CardCommandBroken, read_card_command
from services.authorization.handlers.records import RequestBroken, read_request
from services.card_ledger.handlers.read_entries import EntriesBroken, read_entries
from services.card_ledger.handlers.records import CommandBroken, read_command
from tests.unit.services.iso_bridge.edge import EDC, Edge

Run = Callable[[bytes], None]

PARTITIONS: Final = 4
HEADER: Final = 7
"""Length and TPDU in front of a message."""

BITMAP_END: Final = 10


class Target(NamedTuple):
    """One thing to fuzz."""

    make: Callable[[], Run]  # What it needs is made once.
    seeds: Callable[[], list[bytes]] = list  # What it begins with beside its corpus.


def golden_messages() -> list[bytes]:
    """Return the golden frames of edc, without length and TPDU."""
    return [one.frame[HEADER:] for one in read_golden(EDC, load_dialect(EDC))]


def golden_frames() -> list[bytes]:
    """Return the golden frames of edc."""
    return [one.frame for one in read_golden(EDC, load_dialect(EDC))]


def _frames() -> Run:
    rules = load_dialect(EDC).transport.frame

    def run(data: bytes) -> None:
        whole, bytewise = FrameReader(rules), FrameReader(rules)
        found = whole.feed(data)
        pieces = [frame for n in range(len(data)) for frame in bytewise.feed(data[n : n + 1])]
        assert found == pieces
        assert whole.broken == bytewise.broken

    return run


def what_is_said(decoder: Codec | ExactDecoder, message: bytes) -> object:
    """Return all that a decoder says of a message; anything but DecodeFault comes through."""
    try:
        found = decoder.decode(message)
    except DecodeFault as fault:
        return fault.reason, fault.field
    return found.mti, found.fields, found.misformed, found.broken, found.broken_field


def _decoder() -> Run:
    dialect = load_dialect(EDC)
    exact, by_plan = ExactDecoder(dialect, reads_answers=False), Codec(dialect)

    def run(data: bytes) -> None:
        assert what_is_said(exact, data) == what_is_said(by_plan, data)

    return run


def disagreement(codec: Codec, oracle: Pyiso8583Codec, message: bytes) -> str:
    """Compare with pyiso8583; return "" for alike, else who took it; raises where values differ.

    "theirs": it knows neither character classes nor formats, needs no DE11 and reads answers.
    "filled": it knows no filling nibble but 0. "ours" would be a message that only we take.
    """
    try:
        ours = codec.decode(message)
    except DecodeFault:
        ours = None
    try:
        mti, theirs = oracle.decode(message)
    except DecodeFault:
        if ours is None or ours.broken or ours.misformed:
            return ""
        return "ours" if codec.encode(ours.mti, ours.fields) == message else "filled"
    if ours is None or ours.broken or ours.misformed:
        return "theirs"
    assert mti == ours.mti
    assert theirs == {number: plain(value) for number, value in ours.fields.items()}
    return ""


def _agreement() -> Run:
    dialect: Dialect = load_dialect(EDC)
    codec, oracle = Codec(dialect), Pyiso8583Codec(dialect)

    def run(data: bytes) -> None:
        assert disagreement(codec, oracle, data) != "ours"

    return run


def _edge() -> Run:
    def run(data: bytes) -> None:
        edge = Edge()
        edge.feed(TPDU_AT * b"\0" + TPDU + data)
        assert not [entry for entry in edge.journal.counted if entry[0] == "failed"]

    return run


def _tags() -> Run:
    def run(data: bytes) -> None:
        text = data.decode("latin-1")
        found = parse_tags(text)
        if found is not None:
            assert text == build_tags(found)

    return run


def a_record(topic: str, value: bytes) -> Record:
    """Return a record of partition 0."""
    return Record(topic, 0, 0, b"", value, b"", 0)


def _records() -> Run:
    """All readers of records on the same bytes: each takes them or raises its own fault."""

    def run(data: bytes) -> None:
        with suppress(RequestBroken):
            read_request(data)
        with suppress(CardCommandBroken):
            read_card_command(a_record(topics.REQUESTS, data), PARTITIONS)
        with suppress(CommandBroken):
            read_command(data, 0)
        with suppress(EntriesBroken):
            read_entries(a_record(topics.ENTRIES, data))
        with suppress(ChangeBroken, DecodeError):
            RegistryView().apply(RegistryChange.FromString(data))

    return run


def _record_seeds() -> list[bytes]:
    reference = a_reference(stan=1, amount=100)
    change = RegistryChange(entity="outlet/1", version=1, outlet=Outlet(code="1", number=7))
    return [
        a_purchase(reference).SerializeToString(),
        a_reversal(reference).SerializeToString(),
        AuthorizeRequested(reference=reference, operation=OPERATION_PURCHASE).SerializeToString(),
        CardCommand(command_id=b"i" * 16, show=ShowCard(token=b"t" * 16)).SerializeToString(),
        change.SerializeToString(),
    ]


def _json() -> Run:
    def run(data: bytes) -> None:
        with suppress(NotOurJson):
            check_json(data)

    return run


def _json_seeds() -> list[bytes]:
    return [
        b'{"code": "BUMA00000000001", "groups": ["a"], "n": 1}',
        b'[[{"a": "\\ud800"}]]',
        b"1e9",
    ]


TARGETS: Final[Mapping[str, Target]] = {
    "frames": Target(_frames, golden_frames),
    "decoder": Target(_decoder, golden_messages),
    "agreement": Target(_agreement, golden_messages),
    "edge": Target(_edge, golden_messages),
    "tags": Target(_tags, lambda: [b"GC160001000001000000", b"PU021"]),
    "records": Target(_records, _record_seeds),
    "json": Target(_json, _json_seeds),
}


def changed_messages(*, count: int, seed: int) -> Iterator[bytes]:
    """Yield golden messages with some bytes changed, lost, added or cut, and plain noise."""
    random, golden = Random(seed), golden_messages()
    for _ in range(count):
        message = bytearray(random.choice(golden))
        for _ in range(random.randint(0, 4)):
            at = random.randrange(len(message) + 1)
            match random.randrange(5):
                case 0:
                    message[at : at + 1] = random.randbytes(1)
                case 1:
                    del message[at : at + random.randint(1, 9)]
                case 2:
                    message[at:at] = random.randbytes(random.randint(1, 9))
                case 3 if len(message) > BITMAP_END:
                    message[random.randrange(2, BITMAP_END)] ^= 1 << random.randrange(8)
                case _:
                    del message[at:]
        yield bytes(message) if random.random() < 0.95 else random.randbytes(random.randrange(300))
