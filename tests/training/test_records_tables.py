"""The rows that must not exist."""

import sqlite3

import pytest

from tests.training.school import School


def refused(school: School, statement: str) -> str:
    raw = sqlite3.connect(school.store.file)
    raw.execute("PRAGMA foreign_keys = ON")
    try:
        with pytest.raises(sqlite3.IntegrityError) as error:
            raw.execute(statement)
        return str(error.value)
    finally:
        raw.close()


def test_a_scheme_s_id_is_its_name_and_version(school: School) -> None:
    row = "'x/1', 'x', 2, 'X', '{}', 0"
    assert "ck_scheme_id" in refused(school, f"INSERT INTO scheme VALUES ({row})")


def test_a_class_is_bound_to_a_scheme_that_exists(school: School) -> None:
    assert "FOREIGN KEY" in refused(school, "UPDATE training_class SET scheme_id = 'default/2'")


def test_a_seat_has_one_trainee(school: School) -> None:
    person = school.people["trainee2"].person_id
    assert "UNIQUE" in refused(school, f"INSERT INTO enrolment VALUES ('{school.home.id}', '{person}', 1, 0)")
