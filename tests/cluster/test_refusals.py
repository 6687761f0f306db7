"""Servers that cannot be several do not start beside another: code, words in both languages, exit code."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from server.app import open_store
from server.core.clock import SystemClock
from server.core.signing import LOG_FILE
from server.settings import Config
from server.several import alone
from tests.cluster.town import Server, Town
from tests.servers import RedisServer

REFUSED = 2
WAIT_S = 60
WORDS = {
    "second_server_refused": ("每个进程都需要 store.redis、media.mode: worker", "each needs store.redis"),
    "data_folder_busy": ("先停掉它", "stop it first"),
    "servers_running": ("先把它们都停掉", "stop all of them first"),
}
ALONE: dict[str, dict[str, Any]] = {"store": {"redis": None}, "media": {"mode": "embedded"}}
pytestmark = pytest.mark.timeout(300)


async def check_refused(server: Server, code: str) -> None:
    """It ends by itself and says why."""
    assert server.process is not None
    assert await asyncio.to_thread(server.process.wait, WAIT_S) == REFUSED, server.printed()
    for words in (code, *WORDS[code]):
        assert words in server.printed()
    assert "Traceback" not in server.printed()


def spawn(town: Town, name: str, settings: Path | None = None) -> Server:
    server = town.add(name, settings)
    server.spawn("serve", "--port", str(server.port))
    return server


async def test_a_second_server_on_sqlite_is_refused(tmp_path: Path) -> None:
    town = Town(tmp_path, "", None, "embedded")
    town.values["store"]["database"] = None
    town.settings = town.variant("sqlite.yaml", {})
    try:
        await asyncio.to_thread(town.add("first").start)
        await check_refused(spawn(town, "second"), "data_folder_busy")
        town.servers["first"].kill()
        await asyncio.to_thread(town.servers["second"].start)
    finally:
        town.close()


@pytest.mark.parametrize("change", [{"store": {"redis": None}}, {"media": {"mode": "embedded"}}])
async def test_beside_one_that_shares_one_that_does_not_is_refused(
    town: Town, change: dict[str, dict[str, object]]
) -> None:
    await check_refused(spawn(town, "other", town.variant("other.yaml", change)), "second_server_refused")
    async with town.page("teacher", "a") as teacher:
        assert (await teacher.join())["ok"]


async def test_beside_one_that_shares_nothing_none_starts(tmp_path: Path, postgres: str, redis_server: str) -> None:
    town = Town(tmp_path, postgres, redis_server)
    await town.prepare()
    try:
        await asyncio.to_thread(town.add("alone", town.variant("alone.yaml", ALONE)).start)
        await check_refused(spawn(town, "shares"), "second_server_refused")
        town.servers["alone"].kill()
        await asyncio.to_thread(town.start, "shares")
    finally:
        town.close()


async def test_of_two_that_start_at_once_and_share_nothing_at_most_one_stays(
    tmp_path: Path, postgres: str, redis_process: RedisServer
) -> None:
    town = Town(tmp_path, postgres, redis_process.url)
    await town.prepare()
    try:
        alone = town.variant("alone.yaml", ALONE)
        both = [spawn(town, "one", alone), spawn(town, "two", alone)]
        for _ in range(WAIT_S * 10):
            ended = [one for one in both if one.process is not None and one.process.poll() is not None]
            ready = [one for one in both if "ready " in one.printed()]
            if len(ended) + len(ready) == len(both):
                break
            await asyncio.sleep(0.1)
        assert len(ready) <= 1, [one.printed() for one in both]
        for one in ended:
            await check_refused(one, "second_server_refused")
    finally:
        town.close()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_all_servers_hold_is_changed_only_while_none_runs(town: Town, elsewhere: bool) -> None:
    """The log's key, and minutes put back: by the lock on this host, by the counter where only it can be seen."""
    if elsewhere:
        shutil.copytree(town.folder / "d" / "keys", town.folder / "other" / "keys")
    settings = town.variant("elsewhere.yaml", {"server": {"data": str(town.folder / "other")}} if elsewhere else {})
    before = (town.folder / "d" / "keys" / LOG_FILE).read_bytes()
    for command in (("key", "rotate"), ("refill", str(town.folder))):
        asked = town.add(command[0], settings)
        asked.spawn(*command)
        await check_refused(asked, "servers_running")
    assert (town.folder / "d" / "keys" / LOG_FILE).read_bytes() == before
    async with town.page("teacher", "a") as teacher:
        assert (await teacher.join())["ok"]


async def test_while_the_key_is_changed_no_server_starts(tmp_path: Path, postgres: str, redis_server: str) -> None:
    town = Town(tmp_path, postgres, redis_server)
    await town.prepare()
    try:
        config = Config.model_validate(town.values)
        store = open_store(config, SystemClock())
        async with alone(store.database, store.clock, store.vault, store.folder):
            await check_refused(spawn(town, "early"), "second_server_refused")
        await store.tasks.close()
        await store.shared.close()
        await store.database.close()
        rotating = town.add("rotating")
        rotating.spawn("key", "rotate")
        assert rotating.process is not None
        assert await asyncio.to_thread(rotating.process.wait, WAIT_S) == 0, rotating.printed()
        await asyncio.to_thread(town.start, "late")
    finally:
        town.close()
