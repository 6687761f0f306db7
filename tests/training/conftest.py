"""A school for each test of training."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.accounts.store import make_blank
from tests.training.school import School, open_school


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank"))


@pytest.fixture
async def school(blank: Path, tmp_path: Path) -> AsyncIterator[School]:
    async with open_school(blank, tmp_path) as opened:
        yield opened
