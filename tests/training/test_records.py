"""What the queries promise beyond what the service shows."""

import pytest

from server.core.actor import Role, sees
from server.training import records
from server.training.records import Platform
from server.training.records_tables import DEFAULT_SCHEME
from server.training.rules import LessonState
from server.verify.hours import Rules
from tests.training.school import School

BOTH_STORES = True


async def test_the_migration_publishes_the_default_scheme(school: School) -> None:
    async with school.store.database.read() as connection:
        scheme = await records.scheme_by_id(connection, "default/1")
        newest = await records.scheme_by_id(connection, DEFAULT_SCHEME)
    assert scheme is not None
    assert (scheme.id, scheme.name, scheme.version) == ("default/1", "default", 1)
    assert scheme.rules == Rules(2_700_000)
    assert newest is not None
    assert (newest.id, newest.name, newest.version) == ("default/2", "default", 2)
    assert newest.rules == Rules(2_700_000, daily_cap_ms=28_800_000)
    assert '"challenges": "none"' in scheme.parameters
    assert '"rounding": "floor"' in scheme.parameters


async def test_a_platform_stays_what_it_is(school: School) -> None:
    async with school.store.database.write() as connection:
        await records.put_platform(connection, Platform("甲", "", True), 1)
        await records.put_platform(connection, Platform("乙", "备-1", False), 2)
        assert await records.get_platform(connection) == Platform("乙", "备-1", True)


@pytest.mark.parametrize("who", ["administrator", "staff", "staff2", "county", "city", "elsewhere"])
async def test_the_scope_in_the_database_is_the_rule_itself(school: School, who: str) -> None:
    actor = school.people[who]
    every = [school.home, school.beside, school.other]
    by_rule = {home.id for home in every if sees(actor, home.institution.id, home.institution.area)}
    assert {home.id for home in await school.training.classes_of(actor)} == by_rule
    assert by_rule or actor.role is Role.REGULATOR


@pytest.mark.parametrize("state", LessonState)
async def test_running_lessons(school: School, state: LessonState) -> None:
    async with school.store.database.write() as connection:
        await records.set_lesson_state(connection, school.lesson.id, state, 5, None)
        running = [lesson.id for lesson in await records.running_lessons(connection)]
        counts = await records.counts(connection)
    runs = state in (LessonState.STARTING, LessonState.LIVE, LessonState.PAUSED, LessonState.BREAK)
    assert running == ([school.lesson.id] if runs else [])
    assert counts[school.home.id] == records.Counts(trainees=1, lessons=1, live=int(runs))


async def test_an_unknown_state_is_refused(school: School) -> None:
    async with school.store.database.write() as connection:
        with pytest.raises(ValueError, match="asleep"):
            await records.set_lesson_state(connection, school.lesson.id, "asleep", None, None)
