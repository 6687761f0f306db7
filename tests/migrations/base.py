"""A database file moved up and down by our migrations, and what the records rooms declare."""

import asyncio
import importlib
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Table

from server.core.database import Database, alembic_config, metadata, sqlite_url

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"))
ROOMS = sorted(ROOT.glob("server/**/records*.py"))
LEADING_DIGIT = 7


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


def move(file: Path, verb: str, to: str) -> None:
    """`upgrade` or `downgrade` a file."""

    def step(connection: Connection) -> None:
        getattr(command, verb)(alembic_config(connection), to)

    async def run() -> None:
        database = Database(sqlite_url(file))  # with its transactions: a step that is refused leaves nothing behind
        try:
            async with database.engine.connect() as connection:
                await connection.run_sync(step)
                await connection.commit()
        finally:
            await database.close()

    asyncio.run(run())


def sample(table: Table) -> dict[str, Any]:
    """A row that fits a table, without anything it refers to."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, LargeBinary):
            row[column.name] = b"x"
        elif isinstance(column.type, Integer | Boolean):
            row[column.name] = LEADING_DIGIT
        else:
            row[column.name] = "x"
    return row | ({"id": f"x/{LEADING_DIGIT}"} if table.name == "scheme" else {})
