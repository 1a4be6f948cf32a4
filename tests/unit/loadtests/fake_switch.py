"""A switch in a few lines that keeps edc.md's promises about keys, or breaks one on demand."""

from dataclasses import dataclass, field

from loadtests.frames import decode_frame, encode_frame

ECHOED = (2, 3, 4, 7, 11, 12, 13, 24, 37, 41, 42, 49)


@dataclass(slots=True, kw_only=True)
class Booked:
    """What is known of one key."""

    code: str
    rrn: str
    is_reversed: bool = False
    is_tombstone: bool = False


@dataclass(slots=True, kw_only=True)
class FakeSwitch:
    """Answers frames; every card ending in a serial of 97 is blocked."""

    silent_mtis: set[str] = field(default_factory=set)
    forgets_verdicts: bool = False
    ignores_tombstones: bool = False
    swaps_amounts: bool = False
    book: dict[tuple[str, str], Booked] = field(default_factory=dict)
    asked: list[tuple[str, dict[int, str]]] = field(default_factory=list)

    def answer(self, frame: bytes) -> list[bytes]:
        """Return the answer's frame, or nothing when told to be silent."""
        mti, fields = decode_frame(frame)
        self.asked.append((mti, fields))
        if mti in self.silent_mtis:
            return []
        if fields[3].startswith("31"):
            return [self._reply(mti, fields, Booked(code="00", rrn=f"{len(self.asked):012d}"))]
        if mti.startswith("04"):
            return [self._reply(mti, fields, self._reverse(fields))]
        return [self._reply(mti, fields, self._buy(fields))]

    def _buy(self, fields: dict[int, str]) -> Booked:
        key, rrn = (fields[41], fields[11]), f"{len(self.asked):012d}"
        known = self.book.get(key)
        if known is not None and known.is_tombstone and not self.ignores_tombstones:
            return Booked(code="68", rrn="")
        if known is not None and known.is_reversed and known.code == "00":
            return Booked(code="68", rrn="")
        if known is None or self.forgets_verdicts or known.is_tombstone:
            code = "62" if fields[2][13:15] == "97" else "00"
            known = self.book[key] = Booked(code=code, rrn=rrn)
        return known

    def _reverse(self, fields: dict[int, str]) -> Booked:
        key = (fields[41], fields[11])
        if key in self.book:
            self.book[key].is_reversed = True
        else:
            self.book[key] = Booked(code="", rrn="", is_tombstone=True)
        return Booked(code="00", rrn="")

    def _reply(self, mti: str, fields: dict[int, str], booked: Booked) -> bytes:
        said = {number: fields[number] for number in ECHOED if number in fields}
        if self.swaps_amounts and 4 in said:
            said[4] = "999"
        said[39] = booked.code
        if booked.rrn:
            said[37] = booked.rrn
        if booked.code == "00" and not mti.startswith("04"):
            said[38] = booked.rrn[-6:]
            said[54] = "6002360C000000000100"
        answered = f"{mti[0]}{mti[1]}{int(mti[2]) + 1}0"
        return encode_frame(answered, said, tpdu=bytes.fromhex("6000000003"))
