"""The drill: backups under load, everything destroyed, restored, sealed: nothing acknowledged before is missing."""

import asyncio
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.attendance.intervals import Intervals, subtract, total
from server.core.clock import ManualClock, SystemClock
from server.core.vault import open_vault
from server.settings import Config
from server.upkeep import backup, records
from server.upkeep.backup import back_up
from server.upkeep.restore import restore
from tests.attendance.world import make_template
from tests.faults.test_kill import T0, Classroom, sealed
from tests.house.repo import ROOT

PASSPHRASE = "a drill's passphrase"
BACKUPS = 4
MOMENTS_BEFORE = 15


#: between the two halves of a backup, so that minutes are sealed and spools replaced in between, as on a slow disk
PAUSE_S = 0.5


def _slowly(work: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*arguments: Any) -> Any:
        done = work(*arguments)
        time.sleep(PAUSE_S)
        return done

    return slow


def _config(folder: Path) -> Config:
    return Config.model_validate({"server": {"data": str(folder)}})


def _server(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.faults.driver", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _moment(room: Classroom, server: "subprocess.Popen[bytes]") -> None:
    room.now += room.chance.randint(1, 10_000)
    room.tell(server, {"now": room.now, "beats": [one.beat(room.now) for one in room.all()]})


def _teach_and_back_up(folder: Path, out: Path) -> list[dict[str, Intervals]]:
    """Live beats and backups at once; returns what each trainee had been promised when each backup began."""
    room, promised = Classroom(folder, random.Random(3)), []
    with _server(folder) as server:
        try:
            room.tell(server, {"now": room.now, "open": T0, "join": [one.join(room.now) for one in room.all()]})
            for number in range(BACKUPS):
                for _ in range(MOMENTS_BEFORE):
                    _moment(room, server)
                promised.append({one.person: one.acked for one in room.all()})
                file = out / f"{number}.tar"
                work = back_up(_config(folder), file, file.with_suffix(".keys"), PASSPHRASE, SystemClock())
                thread = threading.Thread(target=asyncio.run, args=(work,))
                thread.start()
                while thread.is_alive():
                    _moment(room, server)
        finally:
            server.kill()
    assert room.refusals == []
    return promised


def _seal_the_rest(folder: Path, now: int) -> None:
    room = Classroom(folder, random.Random(4), now=now)
    with _server(folder) as server:
        try:
            room.tell(server, {"now": room.now, "open": T0})
            room.finish(server)
        finally:
            server.kill()


@pytest.mark.timeout(180)
def test_nothing_acknowledged_before_a_backup_is_missing_after_its_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "copy_spools", _slowly(backup.copy_spools))
    monkeypatch.setattr(records, "copy_sqlite", _slowly(records.copy_sqlite))
    folder = tmp_path / "live"
    folder.mkdir()
    make_template(folder).rename(folder / "keshi.db")
    open_vault(folder / "keys")
    promised = _teach_and_back_up(folder, tmp_path)
    for number, had in enumerate(promised):
        again, file = tmp_path / f"again{number}", tmp_path / f"{number}.tar"
        config = _config(again)
        asyncio.run(restore(config, file, file.with_suffix(".keys"), PASSPHRASE, ManualClock(T0)))
        _seal_the_rest(again, T0 + 3_600_000)
        _, found = asyncio.run(sealed(again))
        for person, acked in had.items():
            assert total(acked) > MOMENTS_BEFORE * 1_000
            assert subtract(acked, found.get(person, ())) == (), f"backup {number}: acknowledged, and not there"
