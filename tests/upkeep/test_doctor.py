"""The doctor as a whole: looks at everything, both stores, and its exit status is its worst finding."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.__main__ import main
from server.settings import Config
from server.upkeep.doctor import examine, stores, told
from server.upkeep.finding import Level, look
from tests.house.repo import ROOT
from tests.school import school
from tests.servers import RedisServer, free_port


def _config(folder: Path, **store: str) -> Config:
    server = {"data": str(folder), "port": free_port()}
    return Config.model_validate({"server": server, "media": {"udp_port": 0}, "store": store})


async def test_it_looks_at_everything(tmp_path: Path) -> None:
    async with school(tmp_path):
        pass
    found = {one.name: one async for one in examine(_config(tmp_path))}
    wanted = (
        "version python packages ffmpeg settings cpu disk fsync permissions database clock certificate addresses "
        "tcp udp media-tcp uplink"
    )
    assert set(wanted.split()) <= found.keys()
    assert found["database"].level is Level.WELL
    assert found["media-tcp"].level is Level.LOOK
    for one in found.values():
        assert told(one).startswith(("✓", "!", "✗"))
        assert one.chinese
        assert one.english


async def test_media_have_doors_of_their_own(tmp_path: Path) -> None:
    server = {"data": str(tmp_path), "port": 0, "host": "127.0.0.2"}
    media = {"mode": "worker", "host": "127.0.0.1", "udp_port": 0, "tcp_port": 0}
    found = {one.name: one async for one in examine(Config.model_validate({"server": server, "media": media}))}
    assert found["worker"].level is Level.LOOK
    assert found["media-tcp"].level is Level.LOOK  # the way in is the pages': from there this port is not reached
    assert "127.0.0.2" in found["media-tcp"].english
    assert found["tcp"].level is Level.WELL


async def test_a_folder_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    found = {one.name: one.level async for one in examine(_config(tmp_path / "none"))}
    assert found["data"] is Level.LOOK
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty").mkdir()
    assert [one.name async for one in stores(_config(tmp_path / "empty"))] == ["keys"]
    assert list((tmp_path / "empty").iterdir()) == []


async def test_postgres_and_redis_that_answer_and_do_not(
    tmp_path: Path, postgres: str, redis_server: str, redis_process: RedisServer
) -> None:
    async with school(tmp_path):
        pass
    found = {one.name: one.level async for one in stores(_config(tmp_path, database=postgres, redis=redis_server))}
    assert found == {"database": Level.WELL, "redis": Level.WELL}
    nobody = f"127.0.0.1:{free_port()}"
    config = _config(tmp_path, database=f"postgresql://x:y@{nobody}/z", redis=f"redis://{nobody}/0")
    assert {one.name: one.level async for one in stores(config)} == {"database": Level.BROKEN, "redis": Level.BROKEN}
    del redis_process


async def test_damaged_keys_are_named(tmp_path: Path) -> None:
    async with school(tmp_path):
        pass
    (tmp_path / "keys" / "vault.key").write_text("no key")
    assert [(one.name, one.level) async for one in stores(_config(tmp_path))] == [("keys", Level.BROKEN)]


async def test_the_exit_status_is_the_worst_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def one_look(_config: Config) -> object:
        yield look("x", "看一下", "look here")

    monkeypatch.setattr("server.upkeep.commands.examine", one_look)
    assert await asyncio.to_thread(main, ["doctor", "--data", str(tmp_path)]) == 1
    assert "看一下" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["doctor", "--json", "--data", str(tmp_path)]) == 1
    one = {"name": "x", "level": "warn", "zh-CN": "看一下", "en": "look here"}
    assert json.loads(capsys.readouterr().out) == {"level": "warn", "findings": [one]}


def test_what_the_program_writes_is_for_its_account_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made by others"
    folder.mkdir(mode=0o755)
    command = [sys.executable, "-m", "server", "init", "--data", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=os.environ, umask=0o022)
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in folder.glob("keshi.db*")} == {"keshi.db": "0o0"}
