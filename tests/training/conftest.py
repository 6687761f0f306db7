"""A school for each test of training."""

from collections.abc import AsyncIterator

import pytest

from tests.training.school import School, open_school


@pytest.fixture
async def school(store_url: str) -> AsyncIterator[School]:
    async with open_school(store_url) as opened:
        yield opened
