"""The drill, over either store: backups under load, destruction, restore: nothing promised before is missing."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from server.attendance.intervals import Intervals, subtract, total
from server.core.clock import ManualClock, SystemClock
from server.core.database import sqlite_url
from server.core.vault import open_vault
from server.settings import Config
from server.upkeep import backup, records
from server.upkeep.backup import back_up
from server.upkeep.restore import restore
from tests.faults.classroom import T0, Classroom, sealed
from tests.servers import Postgres

BOTH_STORES: Final = True
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


@dataclass(frozen=True)
class House:
    """A data folder and the store that belongs to it."""

    folder: Path
    url: str

    @property
    def config(self) -> Config:
        store = {} if self.url.startswith("sqlite") else {"database": self.url}
        return Config.model_validate({"server": {"data": str(self.folder)}, "store": store})


def _room(house: House, seed: int, now: int = T0) -> Classroom:
    return Classroom({"folder": str(house.folder), "store": house.url, "witnesses": []}, random.Random(seed), now)


def _teach_and_back_up(house: House, out: Path) -> list[dict[str, Intervals]]:
    """Live beats and backups at once; returns what each trainee had been promised when each backup began."""
    room, promised = _room(house, 3), []
    life = room.begin()
    try:
        for number in range(BACKUPS):
            for _ in range(MOMENTS_BEFORE):
                room.moment(life)
            promised.append({one.person: one.acked for one in room.all()})
            file = out / f"{number}.tar"
            work = back_up(house.config, file, file.with_suffix(".keys"), PASSPHRASE, SystemClock())
            thread = threading.Thread(target=asyncio.run, args=(work,))
            thread.start()
            while thread.is_alive():
                room.moment(life)
    finally:
        life.end()
    assert not room.refusals + room.failures
    return promised


def _seal_the_rest(house: House, now: int) -> None:
    room = _room(house, 4, now)
    life = room.begin()
    try:
        room.finish(life)
    finally:
        life.end()


@pytest.fixture
def empty(request: pytest.FixtureRequest, store_kind: str, tmp_path: Path) -> Iterator[list[House]]:
    """A house without a store for each backup."""
    folders = [tmp_path / f"again{number}" for number in range(BACKUPS)]
    if store_kind == "sqlite":
        yield [House(folder, sqlite_url(folder / "keshi.db")) for folder in folders]
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    names = [server.create() for _ in folders]
    yield [House(folder, server.url(name)) for folder, name in zip(folders, names, strict=True)]
    server.drop(*names)


@pytest.mark.timeout(180)
def test_nothing_acknowledged_before_a_backup_is_missing_after_its_restore(
    store_url: str, empty: list[House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "copy_spools", _slowly(backup.copy_spools))
    monkeypatch.setattr(records, "copy_sqlite", _slowly(records.copy_sqlite))
    out = tmp_path / "backups"
    out.mkdir()
    open_vault(tmp_path / "keys")
    promised = _teach_and_back_up(House(tmp_path, store_url), out)
    for number, (had, again) in enumerate(zip(promised, empty, strict=True)):
        file = out / f"{number}.tar"
        asyncio.run(restore(again.config, file, file.with_suffix(".keys"), PASSPHRASE, ManualClock(T0)))
        _seal_the_rest(again, T0 + 3_600_000)
        _, found = asyncio.run(sealed(again.url))
        for person, acked in had.items():
            assert total(acked) > MOMENTS_BEFORE * 1_000
            assert subtract(acked, found.get(person, ())) == (), f"backup {number}: acknowledged, and not there"
