"""The rows that must not exist."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.training.school import School

BOTH_STORES = True


async def refused(school: School, statement: str) -> str:
    with pytest.raises(IntegrityError) as error:
        async with school.store.database.write() as connection:
            await connection.execute(text(statement))
    return str(error.value).lower()


async def test_a_scheme_s_id_is_its_name_and_version(school: School) -> None:
    row = "'x/1', 'x', 2, 'X', '{}', 0"
    assert "ck_scheme_id" in await refused(school, f"INSERT INTO scheme VALUES ({row})")


async def test_a_class_is_bound_to_a_scheme_that_exists(school: School) -> None:
    assert "foreign key" in await refused(school, "UPDATE training_class SET scheme_id = 'default/9'")


async def test_a_seat_has_one_trainee(school: School) -> None:
    person = school.people["trainee2"].person_id
    statement = f"INSERT INTO enrolment VALUES ('{school.home.id}', '{person}', 1, 0)"
    assert "unique" in await refused(school, statement)
