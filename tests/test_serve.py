"""Start and stop: one process per folder, clear refusals, pages and health, nothing half-started."""

import gc
import os
import signal
import socket
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from server.app import House
from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.core.garbage import OBJECTS
from server.serve import only_one, running, serve_until_stopped
from server.settings import Config
from tests.collected import as_before
from tests.school import NOON_MS, school


def _config(folder: Path, **server: object) -> Config:
    return Config.model_validate({"server": {"data": str(folder), "port": 0, **server}, "media": {"udp_port": 0}})


async def _refusal(config: Config, demo: bool = False) -> DomainError:
    with pytest.raises(DomainError) as refused:
        async with running(config, demo, ManualClock(NOON_MS)):
            pass
    return refused.value


async def test_health_pages_and_unknown_paths(tmp_path: Path) -> None:
    async with running(_config(tmp_path), demo=False) as (_, url), aiohttp.ClientSession(url) as session:
        async with session.get("/healthz") as answer:
            assert (answer.status, (await answer.json())["status"]) == (200, "ok")
        async with session.get("/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/learn.html")
        for page in ("learn.html", "desk.html"):
            async with session.get(f"/{page}") as answer:
                assert answer.status == 200
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        for path in ("/nothing", "/assets/../../config.yaml", "/assets/%2e%2e/%2e%2e/config.yaml", "/.git/config"):
            async with session.get(path) as answer:
                assert answer.status in (403, 404)
                assert (await answer.json())["code"] == "not_found"


async def test_once_it_serves_it_looks_for_garbage_seldom(tmp_path: Path) -> None:
    found: list[tuple[int, int]] = []

    async def announce(_house: House, _url: str) -> None:
        found.append((gc.get_freeze_count(), gc.get_threshold()[0]))
        os.kill(os.getpid(), signal.SIGTERM)

    with as_before():
        await serve_until_stopped(_config(tmp_path), False, announce)
    ((set_aside, threshold),) = found
    assert (set_aside > 0, threshold) == (True, OBJECTS)


async def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with running(_config(tmp_path), demo=False):
        assert (await _refusal(_config(tmp_path))).code == "data_folder_busy"
    with only_one(tmp_path):
        pass


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = await _refusal(_config(tmp_path, port=port))
        assert (error.code, error.data["port"]) == ("port_in_use", port)


async def test_a_taken_media_port_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        media = {"udp_port": taken.getsockname()[1]}
        config = Config.model_validate({"server": {"data": str(tmp_path), "port": 0}, "media": media})
        error = await _refusal(config)
        assert (error.code, error.data["port"]) == ("port_in_use", "media.udp_port")
    async with running(_config(tmp_path), demo=False):
        pass


async def test_an_address_for_others_without_https_is_refused(tmp_path: Path) -> None:
    assert (await _refusal(_config(tmp_path, host="0.0.0.0"))).code == "tls_needed"


async def test_a_damaged_database_is_an_error_and_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "keshi.db"
    file.write_bytes(b"this is no database, whatever its name says" * 100)
    before = file.read_bytes()
    assert (await _refusal(_config(tmp_path))).code == "database_damaged"
    assert file.read_bytes() == before


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async with running(_config(tmp_path), demo=False):
        pass
    with sqlite3.connect(tmp_path / "keshi.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999_future'")
    raw.close()
    assert (await _refusal(_config(tmp_path))).code == "database_newer"


async def test_a_damaged_key_is_an_error(tmp_path: Path) -> None:
    async with school(tmp_path):
        pass
    (tmp_path / "keys" / "vault.key").write_text("no key")
    assert (await _refusal(_config(tmp_path))).code == "key_damaged"


async def test_a_damaged_spool_stops_the_start(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("jia") as page:
        await page.join()
    spool = next((tmp_path / "spool").glob("*.spool"))
    spool.write_bytes(b"00000000 {}\n" + spool.read_bytes())
    error = await _refusal(_config(tmp_path))
    assert (error.code, error.data["line"]) == ("spool_damaged", 1)


async def test_demo_and_real_data_are_never_mixed_up(tmp_path: Path) -> None:
    async with running(_config(tmp_path / "real"), demo=False) as (house, _):
        await house.training.set_platform("示例", "")
    assert (await _refusal(_config(tmp_path / "real"), demo=True)).code == "not_a_demo"
    async with running(_config(tmp_path / "demo"), demo=True) as (house, _):
        await house.training.set_platform("演示", "")
    assert (await _refusal(_config(tmp_path / "demo"), demo=False)).code == "is_a_demo"
