"""The same tests against each store: a migrated database for each test, copied from one that was migrated once."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.core.database import Database, sqlite_url
from tests.servers import Postgres, wait_for

STORES = ("sqlite", "postgres")


async def migrate(url: str) -> None:
    """Bring a store up to date."""
    database = Database(url)
    try:
        await database.migrate()
        if database.embedded:
            async with database.read() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        await database.close()


def sqlite_template(folder: Path) -> Path:
    """A migrated, empty file, to be copied."""
    asyncio.run(migrate(sqlite_url(folder / "blank.db")))
    return folder / "blank.db"


def postgres_template(server: Postgres) -> str:
    """A migrated, empty database, to be cloned."""
    name = server.create()
    wait_for(migrate(server.url(name)))
    return name


@contextmanager
def sqlite_copy(template: Path, folder: Path) -> Iterator[str]:
    """The URL of a copy in a test's folder."""
    shutil.copyfile(template, folder / "keshi.db")
    yield sqlite_url(folder / "keshi.db")


@contextmanager
def postgres_copy(server: Postgres, template: str) -> Iterator[str]:
    """The URL of a clone, removed afterwards."""
    name = server.create(template)
    try:
        yield server.url(name)
    finally:
        server.drop(name)
