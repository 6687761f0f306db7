"""Decides how rows are stored: one engine, short transactions, and a disposition for every column.

The only place besides the records rooms that knows SQLAlchemy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Column, Connection, MetaData, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.core.errors import DomainError

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
BUSY_TIMEOUT_MS: Final = 10_000

#: all tables of all records rooms; an empty one knows nothing until the rooms are imported
metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


class Disposition(StrEnum):
    """What becomes of a column when its person is forgotten or its keep-until has passed (R19, PIPL)."""

    ERASE = "erase"
    MASK = "mask"
    RETAIN = "retain"


ERASE: Final = Disposition.ERASE
MASK: Final = Disposition.MASK
RETAIN: Final = Disposition.RETAIN


def column(name: str, kind: Any, disposition: Disposition, *rest: Any, **options: Any) -> Column[Any]:
    """A column that says what becomes of it; NOT NULL unless told otherwise."""
    options.setdefault("nullable", False)
    return Column(name, kind, *rest, info={"disposition": disposition}, **options)


class Database:
    """A store. `read()` and `write()` give connections in a transaction; `write()` commits when its block ends well."""

    def __init__(self, url: str) -> None:
        self.engine: AsyncEngine = create_async_engine(url, hide_parameters=True)  # errors are logged, values never are
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; nothing written in it is kept."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block, rolled back by any exception.

        Raises DomainError disk_full when the store has no room; then nothing of it is kept.
        """
        try:
            async with self.engine.connect() as plain:
                connection = await plain.execution_options(keshi_write=True)
                async with connection.begin():
                    yield connection
        except OperationalError as error:
            if "disk is full" in str(error.orig):
                raise DomainError("disk_full", reason="database") from error
            raise

    async def migrate(self) -> None:
        """Bring the tables up to date. Raises DomainError database_damaged, database_newer."""
        try:
            async with self.engine.connect() as connection:
                await connection.run_sync(_upgrade)
                await connection.commit()
        except CommandError as error:
            raise DomainError("database_newer") from error
        except DatabaseError as error:
            raise DomainError("database_damaged", reason=str(error.orig)) from error

    async def ping(self) -> None:
        """Raises whatever keeps the store from answering."""
        async with self.read() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def sqlite_url(file: Path) -> str:
    """The URL of an embedded database file."""
    return f"sqlite+aiosqlite:///{file}"


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for our migrations over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = alembic_config(connection)
    ScriptDirectory.from_config(config)
    command.upgrade(config, "head")


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """WAL and full fsync; transactions begin where SQLAlchemy says so, writers take the lock at once."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("keshi_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
