"""A store for each test of accounts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.accounts.store import Store, make_blank, open_store


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank"))


@pytest.fixture
async def store(blank: Path, tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(blank, tmp_path) as opened:
        yield opened
