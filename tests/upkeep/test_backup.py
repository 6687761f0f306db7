"""A backup: whole or not at all, private, its keys apart; spools are read again when they are replaced meanwhile."""

import errno
import shutil
from pathlib import Path

import pytest

from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.settings import Config
from server.upkeep import archive
from server.upkeep.backup import back_up, copy_spools
from tests.school import NOON_MS, school

PASSPHRASE = "a long passphrase"
LINE = b'68d985b2 {"alive":1}\n'


def config_of(folder: Path) -> Config:
    return Config.model_validate({"server": {"data": str(folder), "port": 0}, "media": {"udp_port": 0}})


async def back(folder: Path, out: Path, passphrase: str = PASSPHRASE) -> archive.Manifest:
    keys = out.with_name(f"{out.name}.keys")
    return await back_up(config_of(folder), out, keys, passphrase, ManualClock(NOON_MS))


async def test_it_holds_database_and_spool_and_no_key(tmp_path: Path) -> None:
    folder, out = tmp_path / "data", tmp_path / "b.tar"
    async with school(folder) as served, served.page("jia") as page:
        await page.join()
        manifest = await back(folder, out)
    assert manifest.store == "sqlite"
    assert "keshi.db" in manifest.files
    assert any(name.endswith(".spool") for name in manifest.files)
    key = (folder / "keys" / "vault.key").read_bytes()
    for file in (out, tmp_path / "b.tar.keys"):
        assert file.stat().st_mode & 0o077 == 0
        assert key not in file.read_bytes()
        assert bytes.fromhex(key.decode()) not in file.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.tar", "b.tar.keys", "data"]


async def test_a_backup_into_the_data_folder_does_not_back_itself_up(tmp_path: Path) -> None:
    async with school(tmp_path / "data"):
        manifest = await back(tmp_path / "data", tmp_path / "data" / "b.tar")
    assert [name for name in manifest.files if name.startswith(".")] == []
    assert (await back(tmp_path / "data", tmp_path / "data" / "c.tar")).files.keys() == manifest.files.keys()


async def test_no_file_is_ever_overwritten(tmp_path: Path) -> None:
    async with school(tmp_path / "data"):
        pass
    for name in ("b.tar", "b.tar.keys"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(DomainError, match="file_exists"):
            await back(tmp_path / "data", tmp_path / "b.tar")
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()


async def test_an_empty_folder_is_named_and_stays_empty(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="data_folder_empty"):
        await back(tmp_path / "data", tmp_path / "b.tar")
    assert list(tmp_path.iterdir()) == []


async def test_a_short_passphrase_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="passphrase_weak"):
        await back(tmp_path / "data", tmp_path / "b.tar", "short")


async def test_a_full_disk_leaves_neither_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with school(tmp_path / "data"):
        pass

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "write", full)
    with pytest.raises(DomainError, match="disk_full"):
        await back(tmp_path / "data", tmp_path / "b.tar")
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


async def test_a_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    async with school(tmp_path / "data"):
        pass
    with (tmp_path / "data" / "keshi.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    with pytest.raises(DomainError, match="database_damaged"):
        await back(tmp_path / "data", tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def _spool(folder: Path, number: int, line: bytes = LINE) -> Path:
    path = folder / "spool" / f"{number:08d}.spool"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(line)
    return path


def test_a_spool_replaced_meanwhile_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, copy, tried = _spool(tmp_path / "data", 1), shutil.copyfile, []

    def replaced(source: Path, target: Path) -> None:
        tried.append(source.name)
        if len(tried) == 1:
            _spool(tmp_path / "data", 2)
            first.unlink()
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", replaced)
    copy_spools(tmp_path / "data", tmp_path / "out")
    assert tried == ["00000001.spool", "00000002.spool"]
    assert [path.name for path in (tmp_path / "out").rglob("*.spool")] == ["00000002.spool"]


def test_a_damaged_spool_is_not_taken_for_one_that_was_being_written(tmp_path: Path) -> None:
    _spool(tmp_path / "data", 1, b"00000000 {}\n" + LINE)
    with pytest.raises(DomainError, match="spool_damaged"):
        copy_spools(tmp_path / "data", tmp_path / "out")
