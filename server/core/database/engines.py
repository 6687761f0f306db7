"""Decides how each kind of store is opened: SQLite in one file, PostgreSQL over a pool of connections."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.core.database.errands import Errands
from server.core.database.failures import name_failures

#: how long a writer waits for another one, in both stores
BUSY_TIMEOUT_MS: Final = 10_000
#: connections of one process to PostgreSQL; who finds none free within POOL_TIMEOUT_S is told to come again
POOL_SIZE: Final = 10
POOL_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5.0
#: a statement that takes longer has lost its server
STATEMENT_TIMEOUT_S: Final = 60.0
IDLE_TIMEOUT_MS: Final = 60_000


def sqlite_url(file: Path) -> str:
    """The URL of an embedded database file."""
    return f"sqlite+aiosqlite:///{file}"


def open_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite+aiosqlite://` or `postgresql://`. Its errors are logged, the values in them never are."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        engine = create_async_engine(parts, hide_parameters=True, connect_args={"async_creator_fn": Errands})
        _prepare_sqlite(engine)
    else:
        engine = _open_postgres(parts)
    name_failures(engine)
    return engine


def _open_postgres(parts: URL) -> AsyncEngine:
    """An acknowledged commit is on the server's disk, whatever its own default says. `sslmode` as libpq has it."""
    if "sslmode" in parts.query:
        parts = parts.difference_update_query(["sslmode"]).update_query_dict({"ssl": parts.query["sslmode"]})
    session = {
        "application_name": "keshi",
        "lock_timeout": str(BUSY_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
    return create_async_engine(
        parts.set(drivername="postgresql+asyncpg"),
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": STATEMENT_TIMEOUT_S,
            "server_settings": session,
        },
    )


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
        if connection.get_execution_options().get("keshi_write", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # it only begins with the first statement, whenever it was said
            driver: Any = connection.connection.driver_connection
            driver.owe("BEGIN")
