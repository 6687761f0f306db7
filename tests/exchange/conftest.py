"""A school with exchange on top for each test; what attendance knows is a fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.accounts.store import make_blank
from tests.exchange.office import Office, open_office


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("blank"))


@pytest.fixture
async def office(blank: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(blank, tmp_path) as opened:
        yield opened
