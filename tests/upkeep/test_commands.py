"""backup and restore as a person types them; export beside a server that runs."""

import asyncio
from pathlib import Path

import pytest

from server.__main__ import EXIT_REFUSED, main
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.core.clock import ManualClock, SystemClock
from server.upkeep.commands import PASSPHRASE_VARIABLE
from tests.school import school


async def _run(*arguments: object) -> int:
    return await asyncio.to_thread(main, [str(one) for one in arguments])


async def test_backup_beside_a_running_server_and_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a long passphrase")
    data, out = tmp_path / "data", tmp_path / "b.tar"
    async with school(data, ManualClock(SystemClock().ms())) as served, served.page("teacher") as desk:
        await desk.join()
        await desk.call("lesson:start")
        assert await _run("backup", out, "--data", data) == 0
    told = capsys.readouterr().out
    assert "备份完成" in told
    assert "Keep keys and passphrase apart" in told
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    (tmp_path / "secret").write_text("a long passphrase\n")
    arguments = ("restore", out, "--data", tmp_path / "again", "--passphrase-file", tmp_path / "secret")
    assert await _run(*arguments) == 0
    told = capsys.readouterr().out
    for part in ("校验无误", "备份时间", "系统故障(待复核)", "C-1 第 1 课 第1课", "北京时间"):
        assert part in told
    assert await _run(*arguments) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "data_folder_used" in told
    assert "空文件夹" in told


async def test_no_passphrase_and_no_terminal_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with school(tmp_path / "data"):
        pass
    missing = ("--passphrase-file", tmp_path / "nowhere")
    for more in ((), missing):
        assert await _run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", *more) == EXIT_REFUSED
        assert "passphrase_missing" in capsys.readouterr().err
    assert not (tmp_path / "b.tar").exists()


async def test_export_beside_a_running_server_waits_for_the_last_seal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ledger.csv"
    arguments = ("export", "C-1", "--data", tmp_path / "data", "--out", out)
    async with school(tmp_path / "data") as served, served.page("teacher") as desk:
        assert await _run(*arguments) == 0
        out.unlink()
        await desk.join()
        await desk.call("lesson:start")
        served.clock.advance(MINUTE_MS)
        await desk.call("lesson:end")
        assert await _run(*arguments) == EXIT_REFUSED
        told = capsys.readouterr().err
        assert "lesson_not_sealed" in told
        assert "封存" in told
        assert not out.exists()
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        for job in (job for one in served.house.capabilities for job in one.jobs if "seal" in job.name):
            await job.work()
        assert await _run(*arguments) == 0
        async with (
            served.http("staff") as office,
            office.get(f"/api/v1/classes/{served.class_id}/ledger.csv") as answer,
        ):
            online, beside = (text.splitlines() for text in (await answer.text(), out.read_text()))
        stamped = "生成时间"
        assert [line for line in online if stamped not in line] == [line for line in beside if stamped not in line]


async def test_export_of_a_store_that_was_not_migrated_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _run("export", "C-1", "--data", tmp_path, "--out", "x.csv") == EXIT_REFUSED
    assert "database_older" in capsys.readouterr().err
