"""What every test shares: browser tests are marked by where they lie, property tests are not judged by the clock, and
who may take longest begins first."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import settings

from tests.servers import Postgres, RedisServer
from tests.stores import STORES, postgres_copy, postgres_template, sqlite_copy, sqlite_template

BROWSER_TESTS = Path(__file__).parent / "e2e"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A slow example on a busy machine is no finding; everything else is as Hypothesis has it.
settings.register_profile("keshi", deadline=None)
settings.load_profile("keshi")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses a store against both in modules that say `BOTH_STORES = True`."""
    if "store_kind" in metafunc.fixturenames and getattr(metafunc.module, "BOTH_STORES", False):
        metafunc.parametrize("store_kind", STORES, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all browser tests their marker, so that nobody forgets it."""
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(specname="pytest_collection_modifyitems", trylast=True)
def pytest_slow_modules_first(items: list[pytest.Item]) -> None:
    """Order modules by the longest time that a test of theirs may take: side by side none is left over at the end."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), mark.args[0] if mark else 0.0)
    items.sort(key=lambda item: -longest[item.path])


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop that a server runs on."""
    return {"uvloop": uvloop.new_event_loop}


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


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied."""
    return sqlite_template(tmp_path_factory.mktemp("blank"))


@pytest.fixture(scope="session")
def blank_postgres(postgres_server: Postgres) -> Iterator[str]:
    """The name of a migrated, empty database in PostgreSQL, to be cloned."""
    name = postgres_template(postgres_server)
    yield name
    postgres_server.drop(name)


@pytest.fixture
def store_kind(request: pytest.FixtureRequest) -> str:
    """Which store a test runs against: SQLite, and in modules with `BOTH_STORES = True` PostgreSQL as well."""
    return getattr(request, "param", STORES[0])


@pytest.fixture
def store_url(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty store of that kind."""
    if store_kind == "sqlite":
        copy = sqlite_copy(request.getfixturevalue("blank"), tmp_path)
    else:
        server = request.getfixturevalue("postgres_server")
        copy = postgres_copy(server, request.getfixturevalue("blank_postgres"))
    with copy as url:
        yield url
