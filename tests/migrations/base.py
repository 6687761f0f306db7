"""A store moved up and down by our migrations, and what the records rooms declare."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Table

from server.core.database import Database, alembic_config, metadata

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"))
ROOMS = sorted(ROOT.glob("server/**/records*.py"))
LEADING_DIGIT = 7
T = TypeVar("T")


def declared() -> dict[str, Table]:
    """All tables of all records rooms."""
    for room in ROOMS:
        importlib.import_module(".".join(room.relative_to(ROOT).with_suffix("").parts))
    return dict(metadata.tables)


def append_only() -> tuple[str, ...]:
    """All tables that a records room lists as append-only."""
    declared()
    names: list[str] = []
    for room in ROOMS:
        module = importlib.import_module(".".join(room.relative_to(ROOT).with_suffix("").parts))
        names += getattr(module, "APPEND_ONLY", ())
    return tuple(sorted(set(names)))


def run(work: Callable[[Database], Awaitable[T]], url: str) -> T:
    """Do something with a store, from a test that waits for nothing."""

    async def whole() -> T:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(whole())


def move(url: str, verb: str, to: str) -> None:
    """`upgrade` or `downgrade` a store in one transaction: a step that is refused leaves nothing behind."""

    def step(connection: Connection) -> None:
        getattr(command, verb)(alembic_config(connection), to)

    async def work(database: Database) -> None:
        async with database.write() as connection:
            await connection.run_sync(step)

    run(work, url)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a query finds."""

    async def work(database: Database) -> list[tuple[Any, ...]]:
        async with database.read() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(statement)]

    return run(work, url)


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands in a store: (table, name) of triggers and indexes."""

    tables: set[str]
    triggers: set[tuple[str, str]]
    indexes: set[tuple[str, str]]

    @property
    def guarded(self) -> set[str]:
        """Tables that refuse changes, by all triggers that this takes."""
        names = {table: {name for of, name in self.triggers if of == table} for table, _ in self.triggers}
        return {
            table
            for table, found in names.items()
            if any(found == {f"{table}_no_{verb}" for verb in verbs} for verbs in GUARDS)
        }


#: of SQLite, which has no TRUNCATE but REPLACE; of PostgreSQL
GUARDS = ({"update", "delete", "replace"}, {"change", "truncate"})
QUERIES = {
    "sqlite": (
        "SELECT name FROM sqlite_master WHERE type = 'table'",
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'",
    ),
    "postgresql": (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'",
    ),
}


def shape(url: str) -> Shape:
    """What stands in a store, without what the database and alembic keep for themselves."""
    tables, triggers, indexes = (rows(url, query) for query in QUERIES[url.partition(":")[0].partition("+")[0]])
    return Shape(
        {name for (name,) in tables if not name.startswith("sqlite_")} - {"alembic_version"},
        {(str(table), str(name)) for table, name in triggers},
        {(str(table), str(name)) for table, name in indexes if table != "alembic_version"},
    )


def insert(url: str, table: Table, **values: Any) -> None:
    """One sample row, whatever it should refer to."""
    if url.startswith("sqlite"):
        free = "PRAGMA foreign_keys = OFF"
    else:
        free = "SET session_replication_role = replica"

    def unbound(connection: Connection) -> None:  # before a transaction begins: SQLite ignores it afterwards
        connection.connection.cursor().execute(free)

    async def work(database: Database) -> None:
        async with database.engine.connect() as connection:
            await connection.run_sync(unbound)
            await connection.execute(table.insert().values(**(sample(table) | values)))
            await connection.commit()

    run(work, url)


def sample(table: Table) -> dict[str, Any]:
    """A row that fits a table, without anything it refers to."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, LargeBinary):
            row[column.name] = b"x"
        elif isinstance(column.type, Boolean):
            row[column.name] = True
        elif isinstance(column.type, Integer):
            row[column.name] = LEADING_DIGIT
        else:
            row[column.name] = "x"
    return row | ({"id": f"x/{LEADING_DIGIT}"} if table.name == "scheme" else {})
