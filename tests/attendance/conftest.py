"""A world for each test, over a migrated, empty store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.attendance.world import World, make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest_asyncio.fixture
async def world(tmp_path: Path, store_url: str) -> AsyncIterator[World]:
    made = await World.make(tmp_path / "world", store_url)
    yield made
    await made.close()
