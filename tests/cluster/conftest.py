"""Two servers over a PostgreSQL, a Redis and a media worker of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.town import Town


@pytest.fixture
async def town(tmp_path: Path, postgres: str, redis_server: str) -> AsyncIterator[Town]:
    """Servers a and b, and a school."""
    made = Town(tmp_path, postgres, redis_server)
    await made.prepare()
    try:
        await asyncio.to_thread(made.start, "a", "b")
        yield made
    finally:
        made.close()
