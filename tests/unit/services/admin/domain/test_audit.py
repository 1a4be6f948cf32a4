"""The audit's chain: what was done to it is named, at the first row that does not fit."""

import pytest

from services.admin.domain.audit import (
    GENESIS,
    AuditBreak,
    AuditHead,
    AuditRow,
    row_hash,
    verify_chain,
)

Chain = list[tuple[AuditRow, bytes]]


def a_row(no: int, content: str = "{}") -> AuditRow:
    return AuditRow(no, 1_000 + no, 7, "ani", "outlet.add", f"outlet/{no}", "done", content)


def chained(rows: list[AuditRow]) -> Chain:
    """Give each row the hash that it has behind the one before."""
    chain: Chain = []
    for row in rows:
        chain.append((row, row_hash(row, chain[-1][1] if chain else GENESIS)))
    return chain


def five() -> Chain:
    return chained([a_row(no) for no in range(1, 6)])


def head_of(chain: Chain) -> AuditHead:
    return AuditHead(chain[-1][0].no, chain[-1][1])


class TestVerifyChain:
    def test_finds_a_whole_chain_sound(self) -> None:
        """Also against heads that were published meanwhile, the one of an empty table too."""
        chain = five()
        published = [AuditHead(0, GENESIS), AuditHead(3, chain[2][1]), head_of(chain)]

        assert None is verify_chain(chain, head=head_of(chain), published=published)
        assert None is verify_chain([], head=AuditHead(0, GENESIS))

    @pytest.mark.parametrize("no", [1, 3, 5])
    @pytest.mark.parametrize("column", AuditRow._fields[1:])
    def test_names_an_edited_column(self, no: int, column: str) -> None:
        """Every column counts, in the first row as in the last."""
        chain = five()
        row, stored = chain[no - 1]
        values = row._asdict()
        values[column] = values[column] * 2
        chain[no - 1] = AuditRow(**values), stored

        found = verify_chain(chain, head=head_of(chain))

        assert AuditBreak(no, "the row was changed: its hash does not fit") == found

    def test_names_a_row_that_was_changed_with_its_hash(self) -> None:
        """Then the next one does not follow: which of the two it was cannot be told."""
        chain = five()
        row = chain[2][0]._replace(content="{1}")
        chain[2] = row, row_hash(row, chain[1][1])

        found = verify_chain(chain, head=head_of(chain))

        assert found is not None
        assert 4 == found.no

    def test_names_rows_taken_out(self) -> None:
        """The gap is at the number that is missing."""
        chain = five()
        del chain[1:3]

        found = verify_chain(chain, head=head_of(chain))

        assert AuditBreak(2, "rows 2 to 3 were taken out") == found

    def test_names_a_row_taken_out_and_hidden(self) -> None:
        """Whoever renumbers the rest cannot give it the hashes of other numbers."""
        chain = five()
        head = head_of(chain)
        kept = chain[:1] + [(row._replace(no=row.no - 1), h) for row, h in chain[2:]]

        found = verify_chain(kept, head=head)

        assert AuditBreak(2, "a row was taken out here and those behind it renumbered") == found

    def test_names_a_row_put_in(self) -> None:
        """The ones behind it would fit without it."""
        chain = five()
        put = a_row(3, "{put}")
        rest = [(row._replace(no=row.no + 1), h) for row, h in chain[2:]]

        found = verify_chain(
            [*chain[:2], (put, row_hash(put, chain[1][1] + b"x")), *rest], head=head_of(chain)
        )

        assert AuditBreak(3, "the row was put in") == found

    def test_names_a_row_before_the_first(self) -> None:
        """Numbers begin at 1."""
        row = a_row(0)

        found = verify_chain([(row, row_hash(row, GENESIS)), *five()], head=head_of(five()))

        assert AuditBreak(0, "the row was put in: nothing comes before row 1") == found

    def test_names_a_row_that_was_moved(self) -> None:
        """Two rows that changed places, each with the other's number."""
        chain = five()
        (second, its_hash), (third, other_hash) = chain[1], chain[2]
        chain[1] = third._replace(no=2), other_hash
        chain[2] = second._replace(no=3), its_hash

        found = verify_chain(chain, head=head_of(five()))

        assert AuditBreak(2, "the row was moved here from behind") == found

    def test_names_a_tail_that_was_cut(self) -> None:
        """The table's own head still says how many there were."""
        chain = five()

        found = verify_chain(chain[:3], head=head_of(chain))

        assert AuditBreak(4, "the tail was cut: rows up to 5 were there") == found

    def test_names_a_tail_that_was_cut_with_its_head(self) -> None:
        """Only a head that was published outside knows of it."""
        chain = five()
        cut = chain[:3]

        assert None is verify_chain(cut, head=head_of(cut))
        assert AuditBreak(4, "the tail was cut: rows up to 5 were there") == verify_chain(
            cut, head=head_of(cut), published=[head_of(chain)]
        )

    def test_names_rows_behind_the_end(self) -> None:
        """Appended past the table's own head."""
        chain = five()

        found = verify_chain(chain, head=head_of(chain[:4]))

        assert AuditBreak(5, "rows were put behind the end that the table knows") == found

    def test_names_a_chain_that_was_written_anew(self) -> None:
        """It is sound in itself; a head that was published outside is not in it."""
        chain = five()
        anew = chained([a_row(no, "{anew}") for no in range(1, 6)])

        assert None is verify_chain(anew, head=head_of(anew))
        assert AuditBreak(
            3, "the chain was rewritten: the head published here differs"
        ) == verify_chain(anew, head=head_of(anew), published=[head_of(chain[:3])])

    def test_names_a_head_that_differs(self) -> None:
        """The table's head is of another chain of the same length."""
        chain = five()

        found = verify_chain(chain, head=AuditHead(5, bytes(32)))

        assert AuditBreak(5, "the chain was rewritten: the table's own head differs") == found

    def test_believes_no_two_heads_of_one_number(self) -> None:
        """One of two that contradict each other is not of this chain."""
        chain = five()
        two = [head_of(chain[:3]), AuditHead(3, bytes(32))]

        assert None is not verify_chain(chain, head=head_of(chain), published=two)
