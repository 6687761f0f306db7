"""What was written stays written: PostgreSQL itself refuses, whoever asks and however."""

import re
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.database import Database
from tests.migrations.base import append_only, declared, insert, rows, run
from tests.servers import Postgres
from tests.stores import postgres_copy

STATEMENTS = (
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE {key} = {key}",
    "TRUNCATE {table} CASCADE",
    "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({keys}) DO UPDATE SET {column} = EXCLUDED.{column}",
    "MERGE INTO {table} USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
)


@pytest.fixture(scope="module")
def filled(postgres_server: Postgres, blank_postgres: str) -> Any:
    """A store with a row in every append-only table; nothing can change it, so one serves all tests."""
    with postgres_copy(postgres_server, blank_postgres) as url:
        for table in append_only():
            insert(url, declared()[table])
        yield url


@pytest.mark.parametrize("table", append_only())
@pytest.mark.parametrize(
    ("statement", "as_replica"), [*((each, False) for each in STATEMENTS), *((each, True) for each in STATEMENTS[1:4])]
)
def test_no_change_is_possible(filled: str, table: str, statement: str, as_replica: bool) -> None:
    columns, keys = declared()[table].columns.keys(), declared()[table].primary_key.columns.keys()
    words = {"table": table, "column": columns[-1], "key": keys[0], "keys": ", ".join(keys)}

    async def work(database: Database) -> None:
        async with database.write() as connection:
            if as_replica:  # ordinary triggers sleep then
                await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            await connection.exec_driver_sql(statement.format(**words))

    before = rows(filled, f"SELECT * FROM {table}")
    with pytest.raises(IntegrityError, match=re.escape(f"append_only: {table}")):
        run(work, filled)
    assert rows(filled, f"SELECT * FROM {table}") == before != []


@pytest.mark.parametrize("table", append_only())
def test_more_can_be_appended(filled: str, table: str) -> None:
    count = f"SELECT count(*) FROM {table}"
    (before,) = rows(filled, count)[0]
    key = declared()[table].primary_key.columns.keys()[-1]
    other: dict[str, Any] = {"id": "x/8", "version": 8} if table == "scheme" else {key: 8 if key != "id" else "y"}

    async def work(database: Database) -> None:
        async with database.write() as connection:
            names = ", ".join(name for name in declared()[table].columns.keys())  # noqa: SIM118  columns, not a dict
            taken = ", ".join(
                (f"'{other[name]}'" if isinstance(other[name], str) else str(other[name])) if name in other else name
                for name in declared()[table].columns.keys()  # noqa: SIM118
            )
            own = {"scheme": " WHERE id = 'x/7'"}.get(table, "")
            await connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {taken} FROM {table}{own} LIMIT 1")

    run(work, filled)
    assert rows(filled, count)[0][0] == before + 1
