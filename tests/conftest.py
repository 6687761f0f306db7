"""What every test shares: browser tests are marked by where they lie, property tests are not judged by the clock."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import Postgres, RedisServer

BROWSER_TESTS = Path(__file__).parent / "e2e"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A slow example on a busy machine is no finding; everything else is as Hypothesis has it.
settings.register_profile("keshi", deadline=None)
settings.load_profile("keshi")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all browser tests their marker, so that nobody forgets it."""
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """The system's Chromium, or what CHROMIUM names; None lets Playwright start its own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """This worker's PostgreSQL server, started when first asked for. Who stops it starts it again."""
    with Postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """This worker's Redis server, started when first asked for. Who stops it starts it again."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(redis_process: RedisServer) -> str:
    """The URL of a Redis that is empty."""
    redis_process.empty()
    return redis_process.url
