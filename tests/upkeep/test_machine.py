"""What the doctor says of a machine: each thing good and bad."""

import shutil
import sys
from collections import namedtuple
from importlib.metadata import version
from pathlib import Path

import pytest

from server.upkeep import machine
from server.upkeep.finding import Level

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "level"),
    [(machine.LEAST_FREE - 1, Level.BROKEN), (machine.LEAST_FREE, Level.LOOK), (machine.ENOUGH_FREE, Level.WELL)],
)
def test_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free, 0, free))
    room, _ = machine.disk(tmp_path)
    assert room.level is level
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ms", "level"), [(1.0, Level.WELL), (50.0, Level.WELL), (50.1, Level.LOOK), (500.1, Level.BROKEN)]
)
def test_how_long_a_write_takes(ms: float, level: Level) -> None:
    assert machine.sync_finding(ms).level is level


@pytest.mark.parametrize(
    ("speeds", "level"), [({}, Level.LOOK), ({"eth0": 100}, Level.LOOK), ({"eth0": 100, "eth1": 10_000}, Level.WELL)]
)
def test_uplink(speeds: dict[str, int], level: Level) -> None:
    found = machine.uplink(speeds, 1_200, 600)
    assert found.level is level
    if "eth1" in speeds:
        assert "5833" in found.english


def test_interfaces_that_are_down_or_do_not_know_do_not_count(tmp_path: Path) -> None:
    for name, state, speed in (
        ("eth0", "up", "1000"),
        ("eth1", "down", "1000"),
        ("veth", "up", "-1"),
        ("lo", "up", "9"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text(f"{state}\n")
        (tmp_path / name / "speed").write_text(f"{speed}\n")
    (tmp_path / "tun").mkdir()
    assert machine.interface_speeds(tmp_path) == {"eth0": 1000}
    assert machine.interface_speeds(tmp_path / "nowhere") == {}


def test_packages_as_locked_and_not() -> None:
    here = version("aiohttp")
    assert machine.differing(f"aiohttp=={here} \\\n    --hash=sha256:00\n") == []
    assert machine.differing("aiohttp==0.0.1 \\\n") == [f"aiohttp {here} ≠ 0.0.1"]
    assert machine.differing("no-such-package==1.0 \\\n") == ["no-such-package"]
    assert machine.differing("no-such-package==1.0 ; sys_platform == 'win32' \\\n") == []


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good").write_text(f"aiohttp=={version('aiohttp')} \\\n")
    assert {one.level for one in machine.versions(tmp_path / "good")} == {Level.WELL}
    (tmp_path / "bad").write_text("aiohttp==0.1 \\\n")
    for lock in ("bad", "missing"):
        levels = {one.name: one.level for one in machine.versions(tmp_path / lock)}
        assert levels["packages"] is Level.BROKEN
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    levels = {one.name: one.level for one in machine.versions(tmp_path / "good")}
    assert (levels["python"], levels["ffmpeg"]) == (Level.BROKEN, Level.WELL)


@pytest.mark.parametrize("name", ["keshi.db", "keys/vault.key", "tls/leaf.pem", "spool/1.spool"])
def test_files_that_others_may_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    assert machine.permissions(tmp_path).level is Level.WELL
    path.chmod(0o640)
    found = machine.permissions(tmp_path)
    assert found.level is Level.BROKEN
    assert name in found.english
    assert "chmod" in found.chinese
