"""A log over each store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.core.database import Database
from tests.ledger.world import World


@pytest.fixture
async def world(store_url: str, tmp_path: Path) -> AsyncIterator[World]:
    database = Database(store_url)
    yield World(database, tmp_path / "log")
    await database.close()
