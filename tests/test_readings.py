"""What is checked of a running house: each check fails for its own reason, and only then."""

import shutil
from collections import namedtuple
from pathlib import Path

import aiohttp
import pytest

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.readings import LEAST_FREE_BYTES, MOST_SEAL_LAG_S, seal_lag_s
from tests.school import School, school

Usage = namedtuple("Usage", "total used free")


async def _checks(served: School) -> dict[str, str]:
    async with aiohttp.ClientSession(served.url) as session, session.get("/readyz") as answer:
        told: dict[str, str] = (await answer.json())["checks"]
        assert (answer.status == 200) is all(word == "ok" for word in told.values())
        return told


async def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        whole = served.house.store.database.ping

        async def broken() -> None:
            raise OSError

        served.house.store.database.ping = broken  # type: ignore[method-assign]
        assert (await _checks(served))["database"] == "not_answering"
        served.house.store.database.ping = whole  # type: ignore[method-assign]


async def test_a_spool_that_takes_nothing(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        (tmp_path / "spool" / ".ready").mkdir()
        assert (await _checks(served))["spool"] == "spool_not_writable"


@pytest.mark.parametrize(("free", "word"), [(LEAST_FREE_BYTES - 1, "disk_low"), (LEAST_FREE_BYTES, "ok")])
async def test_a_disk_with_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, word: str) -> None:
    async with school(tmp_path) as served:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free * 2, free, free))
        assert (await _checks(served))["disk"] == word


async def test_sealing_that_lags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.attendance.sealer.Sealer.round", _nothing)
    async with school(tmp_path) as served, served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        assert seal_lag_s(served.house) == 0
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        assert seal_lag_s(served.house) == 0
        served.clock.advance(int(MOST_SEAL_LAG_S * 1000))
        assert (await _checks(served))["sealing"] == "ok"
        served.clock.advance(1)
        served.house.health._asked_ms = float("-inf")
        assert (await _checks(served))["sealing"] == "sealing_late"


async def _nothing(_sealer: object) -> None:
    return None
