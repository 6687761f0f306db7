"""A school with exchange on top for each test; what attendance knows is a fake."""

from collections.abc import AsyncIterator

import pytest

from tests.exchange.office import Office, open_office


@pytest.fixture
async def office(store_url: str) -> AsyncIterator[Office]:
    async with open_office(store_url) as opened:
        yield opened
