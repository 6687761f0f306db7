"""Copies of whole databases: out of a running one as of one moment, and into an empty one."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.attendance.minutes import slot_of
from server.attendance.records import minute_journal
from server.core.database import Database, alembic_config
from server.core.errors import DomainError
from server.oversight.records_retention import deletion, done_groups
from server.oversight.rules import Outcome, keep_until_ms
from server.training.records_tables import lesson, training_class

VERSIONS: Final = "alembic_version"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the newest migration, and for PostgreSQL the columns and rows of each table."""

    revision: str
    tables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A lesson of the restored store, in words that an operator knows it by."""

    class_code: str
    number: int
    title: str
    state: str
    planned_start_ms: int
    planned_end_ms: int


def copy_sqlite(source: Path, target: Path) -> Copied:
    """The file as of one moment, while others write to it. Raises DomainError database_damaged."""
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new, pages=-1)  # all in one step, so that a writer cannot make it begin again
            found = new.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise DomainError("database_damaged", reason=found)
            new.execute("PRAGMA journal_mode = DELETE")
            (revision,) = new.execute(f"SELECT version_num FROM {VERSIONS}").fetchone()  # noqa: S608  our constant
    except (sqlite3.DatabaseError, TypeError) as error:
        raise DomainError("database_damaged", reason=str(error)) from error
    return Copied(revision, {})


async def copy_postgres(database: Database, folder: Path) -> Copied:
    """All tables as of one moment (one repeatable-read transaction), in the order in which they can be loaded."""
    folder.mkdir()
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        (revision,) = (await connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}")).one()  # noqa: S608
        tables: dict[str, Any] = {}
        raw = await _raw(connection)
        for name, columns in (await connection.run_sync(_tables)).items():
            count = (await connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608
            await raw.copy_from_table(name, columns=columns, output=folder / name, format="binary")
            tables[name] = {"columns": columns, "rows": count}
    return Copied(revision, tables)


async def load_postgres(database: Database, folder: Path, revision: str, tables: Mapping[str, Any]) -> None:
    """Make the tables as of `revision` in an empty database and fill them: all of it or nothing.

    Raises DomainError database_not_empty, backup_newer, backup_damaged (data.file).
    """
    async with database.engine.begin() as connection:
        if await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            raise DomainError("database_not_empty")
        await connection.run_sync(upgrade_to, revision)
        raw = await _raw(connection)
        for name, about in tables.items():
            columns = ", ".join(f'"{column}"' for column in about["columns"])
            await connection.exec_driver_sql(f'CREATE TEMP TABLE keshi_load (LIKE "{name}") ON COMMIT DROP')
            with (folder / name).open("rb") as file:
                await raw.copy_to_table("keshi_load", columns=about["columns"], source=file, format="binary")
            # a migration may have put its first rows in already
            await connection.exec_driver_sql(
                f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM keshi_load ON CONFLICT DO NOTHING'  # noqa: S608
            )
            await connection.exec_driver_sql("DROP TABLE keshi_load")
            count = (await connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608
            if count != about["rows"]:
                raise DomainError("backup_damaged", file=f"tables/{name}", rows=count, expected=about["rows"])


def upgrade_to(connection: Connection, revision: str) -> None:
    """Make the tables as of a migration. Raises DomainError backup_newer when we do not know it."""
    config = alembic_config(connection)
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise DomainError("backup_newer", revision=revision) from error
    command.upgrade(config, revision)


async def lessons_known(database: Database) -> list[Known]:
    """Every lesson with its class's code, in the order of their times."""
    query = (
        select(
            training_class.c.code,
            *(lesson.c[name] for name in ("number", "title", "state", "planned_start_ms", "planned_end_ms")),
        )
        .join(training_class, training_class.c.id == lesson.c.class_id)
        .order_by(lesson.c.planned_start_ms, training_class.c.code)
    )
    async with database.read() as connection:
        return [Known(*row) for row in (await connection.execute(query)).all()]


async def classes_over(database: Database, now_ms: int) -> list[str]:
    """Codes of the classes whose records need not be kept any more and which nobody has ordered to be deleted."""
    ordered = select(deletion.c.class_id).where(deletion.c.outcome == Outcome.ORDERED)
    query = select(training_class.c.code, training_class.c.ends_on).where(training_class.c.id.not_in(ordered))
    async with database.read() as connection:
        rows = (await connection.execute(query.order_by(training_class.c.code))).all()
    return [code for code, ends_on in rows if keep_until_ms(ends_on, 0) <= now_ms]


async def unsealed(database: Database, class_id: str) -> list[int]:
    """Numbers of the class's lessons that have begun and have a minute that is not in the journal yet; where retention
    deleted it, none is missing.
    """
    newest = func.coalesce(func.max(minute_journal.c.slot), -1)
    query = (
        select(lesson.c.number, lesson.c.ended_ms, newest, lesson.c.id)
        .outerjoin(minute_journal, minute_journal.c.lesson_id == lesson.c.id)
        .where(lesson.c.class_id == class_id, lesson.c.started_ms.is_not(None))
        .group_by(lesson.c.id, lesson.c.number, lesson.c.ended_ms)
        .order_by(lesson.c.number)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
        gone = await done_groups(connection)
    return [
        number
        for number, ended_ms, slot, lesson_id in rows
        if lesson_id not in gone and (ended_ms is None or slot < slot_of(max(ended_ms - 1, 0)))
    ]


async def revision_of(database: Database) -> tuple[str, str]:
    """The newest migration in the database ("" in an empty one), and the newest that we know."""
    async with database.read() as connection:
        found = ""
        if await connection.run_sync(lambda sync: inspect(sync).has_table(VERSIONS)):
            found = (await connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}")).scalar_one()  # noqa: S608
        newest = await connection.run_sync(lambda sync: ScriptDirectory.from_config(alembic_config(sync)))
    return found, str(newest.get_current_head())


def _tables(connection: Connection) -> dict[str, list[str]]:
    """Columns of each table, tables that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return {
        str(table.name): [str(column.name) for column in table.columns]
        for table in found.sorted_tables
        if table.name != VERSIONS
    }


async def _raw(connection: AsyncConnection) -> Any:
    """asyncpg's own connection, in the same transaction: only it can COPY."""
    return (await connection.get_raw_connection()).driver_connection
