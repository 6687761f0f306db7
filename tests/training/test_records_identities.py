"""The log is told who sits where and which lesson has which number: once, also of what was there before."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.ledger import records
from server.ledger.rules import split
from server.training.records_identities import untrue
from server.verify import identity
from server.verify.formats import Kind
from tests.ledger.test_facts import said
from tests.school import school


async def test_who_sits_where_and_which_lesson_has_which_number_is_said_once(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        await served.house.training.tell_what_stands()
        told = [one for group, one in await said(served) if group == served.class_id]
        salts = await served.house.training.salts(served.class_id)
        roster = await served.house.training.roster(served.class_id)
        people = {one.id: one for one in await served.house.accounts.people.of([each.person_id for each in roster])}
    seats = {(one.subject.hex(), one.seq): one.evidence for one in told if one.kind == Kind.IDENTITY}
    assert seats == {
        (one.person_id, one.seat): identity.digest(
            salts[one.person_id], one.name, people[one.person_id].id_number_masked or ""
        )
        for one in roster
    }
    assert len(roster) == sum(one.kind == Kind.IDENTITY for one in told) > 1
    lessons = [(one.resource.hex(), one.seq) for one in told if one.kind == Kind.LESSON]
    assert lessons == [(served.lesson_id, 1)]


@pytest.mark.parametrize("kind", [Kind.IDENTITY, Kind.LESSON])
async def test_what_was_there_before_the_log_heard_of_it_is_said_at_the_next_start(tmp_path: Path, kind: Kind) -> None:
    """A store of an earlier release: its log lacks these records."""
    async with school(tmp_path) as served:
        before = [one for group, one in await said(served) if group == served.class_id and one.kind == kind]
        async with served.house.store.database.write() as connection:
            for entry in await records.waiting(connection, 1 << 30):
                if any(raw[0] == kind for raw in split(entry.records)):
                    await connection.exec_driver_sql(f"DELETE FROM ledger_pending WHERE entry_id = '{entry.id}'")
                    await connection.exec_driver_sql("DROP TRIGGER IF EXISTS ledger_entry_no_delete")
                    await connection.exec_driver_sql(f"DELETE FROM ledger_entry WHERE id = '{entry.id}'")
        await served.house.training.tell_what_stands()
        after = [one for group, one in await said(served) if group == served.class_id and one.kind == kind]
    assert {replace(one, slot=0) for one in after} == {replace(one, slot=0) for one in before} != set()


async def test_a_seat_is_true_until_its_trainee_is_called_otherwise(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        jia = served.ids["jia"]
        async with served.house.store.database.write() as connection:
            assert [one async for one in untrue(connection)] == []
            await connection.exec_driver_sql(f"UPDATE person SET name = '别人' WHERE id = '{jia}'")
            assert [one.person_id async for one in untrue(connection)] == [jia]
            await connection.exec_driver_sql(f"DELETE FROM ledger_key WHERE subject = '{jia}'")
            assert [one.person_id async for one in untrue(connection)] == [jia], "without a key nobody could be told"


async def test_a_seat_that_was_put_into_the_store_by_hand_is_untold(tmp_path: Path) -> None:
    """However early it says that it was given."""
    async with school(tmp_path) as served:
        ghost = served.ids["staff"]
        async with served.house.store.database.write() as connection:
            await connection.exec_driver_sql(f"INSERT INTO enrolment VALUES ('{served.class_id}', '{ghost}', 999, 0)")
            assert [one.person_id async for one in untrue(connection)] == [ghost]
