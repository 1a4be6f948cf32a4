"""Two people: what the database itself refuses, and what happens when two decide at once."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.pg import StoreConflict, StoreUnavailable
from services.admin.domain.proposal import ProposalState
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.perform_act import Done
from services.admin.store.proposals import MakerIsChecker
from tests.integration.services.admin.approvals import (
    NOON_MS,
    SET,
    MakeDatabase,
    Office,
    open_office,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    async with open_office(make_database) as opened:
        yield opened


async def state_of(office: Office, number: int) -> ProposalState:
    async with office.transactions.begin() as work:
        found = await work.proposals.show(number)
    assert found is not None
    return found.state


class TestTwoPeople:
    async def test_change_together(self, office: Office) -> None:
        """What one proposed is done by the other's word, and all of it can be read afterwards."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        checker = await office.person("budi", Role.APPROVER)
        number = await office.proposal(maker)
        agreed = await office.hash_of(number)

        answer = await office.decide.approve(checker, number, agreed=agreed)

        assert Done({"entity": "product/standard"}) == answer
        async with office.transactions.begin() as work:
            found = await work.proposals.show(number)
            newest = await work.proposals.list(is_open=False, rows_max=9)
            waiting = await work.proposals.list(is_open=True, rows_max=9)
        assert found is not None
        assert (SET, 4, "ani", NOON_MS, ProposalState.APPROVED, "budi", NOON_MS) == (
            found.act,
            found.version,
            found.maker_login,
            found.made_ms,
            found.state,
            found.checker_login,
            found.decided_ms,
        )
        assert ([found], []) == (newest, waiting)
        rows = await office.audit.latest(entity="", login="", before=0, rows_max=9)
        assert [("budi", "approved"), ("ani", "proposed")] == [
            (row.login, row.result) for row in rows
        ]

    async def test_are_never_one_by_our_rule(self, office: Office) -> None:
        """Also after the maker was made an approver."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        number = await office.proposal(maker)
        await office.tell("UPDATE admin.operator SET role = 3 WHERE login = 'ani'")

        answer = await office.decide.approve(
            maker._replace(role=Role.APPROVER), number, agreed=await office.hash_of(number)
        )

        assert Refused(Refusal.MAKER_IS_CHECKER) == answer
        assert [] == office.executor.done

    async def test_are_never_one_by_the_database(self, office: Office) -> None:
        """Even if our own rule were gone: through our code and past it."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        number = await office.proposal(maker)
        await office.tell("UPDATE admin.operator SET role = 3 WHERE login = 'ani'")

        for state in (ProposalState.APPROVED, ProposalState.REJECTED):
            with pytest.raises(MakerIsChecker):
                async with office.transactions.begin() as work:
                    await work.proposals.decide(
                        number, state, checker=maker.operator, decision="mine"
                    )
        with pytest.raises(asyncpg.CheckViolationError, match="maker_is_not_checker"):
            await office.tell(
                "UPDATE admin.proposal SET state = 2, checker = maker, decided_at = now()"
            )
        with pytest.raises(asyncpg.CheckViolationError, match="decided_by_somebody"):
            await office.tell("UPDATE admin.proposal SET state = 2, decided_at = now()")
        assert ProposalState.OPEN is await state_of(office, number)

    async def test_decide_once_however_many_race(self, office: Office) -> None:
        """Six checkers at the same moment: one effect, the others hear that it is decided."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        checkers = [await office.person(f"budi{no}", Role.APPROVER) for no in range(6)]
        number = await office.proposal(maker)
        agreed = await office.hash_of(number)

        answers = await asyncio.gather(
            *(office.decide.approve(one, number, agreed=agreed) for one in checkers)
        )

        assert 1 == len(office.executor.done)
        assert 5 == answers.count(Refused(Refusal.DECIDED))
        [(commands,)] = await office.pool.read("SELECT count(*) FROM admin.command")
        assert 1 == commands

    async def test_cannot_rewrite_what_was_proposed_or_decided(self, office: Office) -> None:
        """Not even the owner of the table: neither the content nor a second decision."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        checker = await office.person("budi", Role.APPROVER)
        number = await office.proposal(maker)
        wide = "a proposal is decided once and never rewritten"

        for column, value in (("content", "'{}'"), ("version", "9"), ("maker", "2")):
            with pytest.raises(asyncpg.PostgresError, match=wide):
                await office.tell(f"UPDATE admin.proposal SET {column} = {value}")
        await office.decide.reject(checker, number, reason="too high")
        with pytest.raises(asyncpg.PostgresError, match=wide):
            await office.tell("UPDATE admin.proposal SET state = 2")
        for sql in ("DELETE FROM admin.proposal", "TRUNCATE admin.proposal"):
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await office.tell(sql)
        async with office.transactions.begin() as work:
            found = await work.proposals.show(number)
        assert found is not None
        assert (ProposalState.REJECTED, "too high", "budi") == (
            found.state,
            found.decision,
            found.checker_login,
        )

    async def test_void_what_was_tampered_with(self, office: Office) -> None:
        """Somebody with the database's own powers changes the content; its hash tells."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        checker = await office.person("budi", Role.APPROVER)
        number = await office.proposal(maker)
        agreed = await office.hash_of(number)
        await office.tell(
            "ALTER TABLE admin.proposal DISABLE TRIGGER USER;"
            """UPDATE admin.proposal SET content = '{"ceiling":9}';"""
            "ALTER TABLE admin.proposal ENABLE TRIGGER USER"
        )

        answer = await office.decide.approve(checker, number, agreed=agreed)

        assert Refused(Refusal.CHANGED_MEANWHILE) == answer
        assert ProposalState.VOID is await state_of(office, number)
        assert [] == office.executor.done


class TestOneTransaction:
    async def test_holds_the_change_and_its_row(self, office: Office) -> None:
        """Where the audit cannot be written, nothing was proposed, approved or done."""
        maker = await office.person("ani", Role.ADMINISTRATOR)
        checker = await office.person("budi", Role.APPROVER)
        number = await office.proposal(maker)
        agreed = await office.hash_of(number)
        await office.tell(
            "CREATE FUNCTION admin.full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON admin.audit"
            " FOR EACH ROW EXECUTE FUNCTION admin.full()"
        )

        with pytest.raises(StoreUnavailable):
            await office.perform(maker, SET)
        with pytest.raises(StoreUnavailable):
            await office.decide.approve(checker, number, agreed=agreed)

        [(proposals, commands)] = await office.pool.read(
            "SELECT (SELECT count(*) FROM admin.proposal), (SELECT count(*) FROM admin.command)"
        )
        assert (1, 0) == (proposals, commands)
        assert ProposalState.OPEN is await state_of(office, number)

    async def test_ends_with_a_fault_where_a_row_is_refused(self, office: Office) -> None:
        """A proposal by nobody is none."""
        with pytest.raises(StoreConflict):
            async with office.transactions.begin() as work:
                await work.proposals.add(SET, version=1, maker=99)
