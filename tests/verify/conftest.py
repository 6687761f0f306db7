"""A small class, not yet attended."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.attendance.views import Evidence
from server.core.database import Database
from tests.ledger.world import World
from tests.verify.evidence import SmallClass


@pytest.fixture
async def small(store_url: str, tmp_path: Path) -> AsyncIterator[SmallClass]:
    world = World(Database(store_url), tmp_path / "log")
    await world.ledger.round()
    yield SmallClass(world, Evidence({}, {}))
    await world.database.close()
