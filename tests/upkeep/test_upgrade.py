"""A data folder of an earlier version goes on: classes, minutes, logins, unsealed beats, sealed ID numbers.

`old/` is such a folder as text, frozen from version 0.1.0 in the middle of a lesson: the database as SQL, the key, the
spool, and what was true of it. It is never made anew; a later version adds its own beside it.
"""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.attendance.minutes import SEAL_AFTER_MS
from server.core.clock import ManualClock
from tests.school import ID_NUMBERS, PASSWORD, school

OLD = Path(__file__).parent / "old"


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    """The old folder laid out, and what is true of it."""
    for name in ("keys", "spool"):
        (tmp_path / name).mkdir()
    shutil.copyfile(OLD / "vault.txt", tmp_path / "keys" / "vault.key")
    shutil.copyfile(OLD / "spool.txt", tmp_path / "spool" / "00000001.spool")
    raw = sqlite3.connect(tmp_path / "keshi.db")
    raw.executescript((OLD / "keshi.sql").read_text())
    raw.close()
    found: dict[str, Any] = json.loads((OLD / "expected.json").read_text())
    return found


def _evidence(folder: Path) -> list[list[Any]]:
    raw = sqlite3.connect(folder / "keshi.db")
    columns = {
        "minute_journal": "lesson_id, slot, delivered_ms, credit_ms_total, n_records, records, sealed_ms",
        "lease": "person_id, epoch, lesson_id, session_id, device, page, resume_digest, how, granted_ms",
        "lesson_event": "lesson_id, seq, at_ms, kind, actor_id, since_ms",
    }
    found = [raw.execute(f"SELECT {names} FROM {table} ORDER BY 1, 2").fetchall() for table, names in columns.items()]
    raw.close()
    return found


async def test_an_upgrade_keeps_everything(tmp_path: Path, expected: dict[str, Any]) -> None:
    before = _evidence(tmp_path)
    clock = ManualClock(expected["now_ms"] + 5_000)
    async with school(tmp_path, clock) as served:
        assert (served.ids, served.class_id, served.lesson_id) == (
            expected["ids"], expected["class_id"], expected["lesson_id"],
        )  # fmt: skip
        for old, new in zip(before, _evidence(tmp_path), strict=True):
            assert new[: len(old)] == old
        async with served.http("jia") as session, session.get("/api/v1/today") as answer:
            assert (await answer.json())["classes"][0]["class_name"] == "示例班"
        cookies = {"keshi_session": expected["session"]}
        async with aiohttp.ClientSession(served.url, cookies=cookies) as kept, kept.get("/api/v1/me") as answer:
            assert (await answer.json())["me"]["login"] == "jia", "who was signed in still is"
        known = await served.house.accounts.people.by_id_numbers([ID_NUMBERS["jia"]])
        assert [person.id for person in known.values()] == [expected["ids"]["jia"]]
        clock.advance(SEAL_AFTER_MS + 120_000)
        for job in (job for one in served.house.capabilities for job in one.jobs if "seal" in job.name):
            await job.work()
        async with served.http("staff") as office, office.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer:
            rows = (await answer.json())["rows"]
        (mine,) = (row for row in rows if row["person_id"] == expected["ids"]["jia"])
        sealed = [cell for cell in mine["cells"] if cell["sealed"]]
        assert len(sealed) > expected["sealed"]
        assert sum(cell["credit_ms"] for cell in sealed) == expected["credit_ms"], "also what was only in the spool"
    assert PASSWORD not in (OLD / "keshi.sql").read_text()
