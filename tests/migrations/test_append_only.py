"""What was written stays written: SQLite itself refuses, whoever asks and however."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.core.database import sqlite_url
from tests.migrations.base import append_only, declared, move, sample

#: Everything an append-only table may hold, said once more by hand: no name, ID number, phone or login of a person
#: stands where nothing can be erased. People are meant by their id; a scheme's `name` and `title` are its own.
HELD = {
    "appeal": "id lesson_id person_id first_slot last_slot text_digest at_ms",
    "appeal_answer": "appeal_id person_id text_digest at_ms",
    "challenge_answer": "lesson_id person_id at_ms number delay_ms taken",
    "challenge_event": "lesson_id person_id seq at_ms outcome number epoch deadline_ms credit_ms",
    "challenge_look": "lesson_id number person_id why times others by_id text_digest at_ms",
    "challenge_reveal": "lesson_id seed at_ms",
    "challenge_seed": "lesson_id sealed limit_s at_ms",
    "correction": "id lesson_id person_id measure text_digest appeal_id reverses lines at_ms",
    "correction_entry": "lesson_id seq correction_id lines at_ms",
    "correction_objection": "correction_id person_id text_digest at_ms",
    "correction_verdict": "correction_id person_id verdict text_digest at_ms",
    "deletion": "id class_id group_id outcome n_records keep_until_ms at_ms",
    "deletion_done": "deletion_id done_ms",
    "lease": "person_id epoch lesson_id session_id device page resume_digest how granted_ms",
    "lease_end": "person_id epoch reason ended_ms",
    "ledger_checkpoint": "size note signed_ms",
    "ledger_entry": "id slot group_id records",
    "ledger_group": "idx group_id packed hints",
    "ledger_leaf": "idx leaf",
    "ledger_sealed": "entry_id idx",
    "lesson_act": "lesson_id seq at_ms activity kind actor_id body",
    "lesson_event": "lesson_id seq at_ms kind actor_id since_ms",
    "lesson_file": "lesson_id file_id number digest name size kind use made_of by_id at_ms",
    "minute_journal": "lesson_id slot delivered_ms credit_ms_total n_records records sealed_ms",
    "page_key": "person_id epoch lesson_id public known granted_ms",
    "page_signature": "lesson_id slot signatures",
    "regulator_view": "id person_id at_ms page object_id",
    "settlement": (
        "class_id number person_id people scheme scheme_digest class_hours remainder_ms confirmed_ms capped_ms short_ms"
        " lessons ordered_by at_ms"
    ),
    "scheme": "id name version title parameters published_ms",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("append") / "keshi.db"
    move(sqlite_url(made), "upgrade", "head")
    return made


@pytest.fixture
def raw(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    yield connection
    connection.rollback()
    connection.close()


def test_the_list_is_complete(raw: sqlite3.Connection) -> None:
    guarded = {row[0] for row in raw.execute("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")}
    assert guarded == set(append_only()) == HELD.keys()


@pytest.mark.parametrize("table", append_only())
def test_nothing_personal_stands_where_nothing_can_be_erased(table: str) -> None:
    assert [column.name for column in declared()[table].columns] == HELD[table].split()


@pytest.mark.parametrize("table", append_only())
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "UPDATE OR REPLACE {table} SET {column} = 0",
        "UPDATE OR IGNORE {table} SET {column} = 0",
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE {key} = {key}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "REPLACE INTO {table} SELECT * FROM {table}",
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {column} = 0",
        "INSERT OR IGNORE INTO {table} SELECT * FROM {table}",
        "INSERT OR REPLACE INTO {table} (rowid, {columns}) VALUES (1, {other})",
    ],
)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_no_change_is_possible(raw: sqlite3.Connection, table: str, statement: str, recursive: str) -> None:
    raw.execute(f"PRAGMA recursive_triggers = {recursive}")
    row = sample(declared()[table])
    raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row.values()))
    before = raw.execute(f"SELECT * FROM {table}").fetchall()
    names = {
        "table": table,
        "column": list(row)[-1],
        "key": declared()[table].primary_key.columns.keys()[0],
        "columns": ", ".join(row),
        "other": ", ".join(f"'{value}'" if isinstance(value, str) else "8" for value in _other(row).values()),
    }
    with pytest.raises((sqlite3.IntegrityError, sqlite3.OperationalError)) as refused:
        raw.execute(statement.format(**names))
    assert "append_only" in str(refused.value) or "rowid" in str(refused.value)
    assert raw.execute(f"SELECT * FROM {table}").fetchall() == before


def _other(row: dict[str, Any]) -> dict[str, Any]:
    """A row with another key."""
    other = {name: value + 1 if isinstance(value, int) else value for name, value in row.items()}
    keys = ("id", "entry_id", "appeal_id", "correction_id", "deletion_id", "lesson_id")
    return other | {name: "x/8" for name in keys if name in row}


@pytest.mark.parametrize("table", append_only())
def test_more_can_be_appended(raw: sqlite3.Connection, table: str) -> None:
    row = sample(declared()[table])
    for values in (row, _other(row)):
        raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(values.values()))
