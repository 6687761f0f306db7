"""A lesson's seed is in the log once it is planned, secret until it is over, and drawn once."""

from hashlib import sha256
from pathlib import Path

import pytest

from server.attendance.challenges import records
from server.attendance.challenges.seeds import Seeds
from server.core.clock import MINUTE_MS
from server.ledger.records import said_of
from server.ledger.rules import split
from server.verify.formats import COMMITTED, Kind, Record, read_record
from tests.attendance.challenges.test_page import SCHEME
from tests.school import School, plan, school


async def told(served: School, lesson_id: str) -> list[Record]:
    async with served.house.store.database.read() as connection:
        entries = await said_of(connection, lesson_id)
    records_ = [read_record(raw) for entry in entries for raw in split(entry.records)]
    return [one for one in records_ if one.kind == Kind.CHALLENGE_SEED]


async def sealed(served: School, lesson_id: str) -> bytes | None:
    async with served.house.store.database.read() as connection:
        return await records.sealed_seed(connection, lesson_id)


async def test_it_is_committed_when_the_lesson_is_planned_days_before(tmp_path: Path) -> None:
    async with school(tmp_path, scheme=SCHEME) as served:
        now = served.clock.ms()
        planned = await plan(served.house, served.class_id, served.ids["teacher"], 2, now + 2 * 86_400_000)
        (one,) = await told(served, planned)
        assert (one.slot, one.mode) == (now // MINUTE_MS, COMMITTED)
        kept = await sealed(served, planned)
        assert kept is not None
        seed = served.house.challenges.seeds.opened(planned, kept)
        assert one.evidence == sha256(seed).digest()
        assert seed not in kept
        assert seed.hex().encode() not in kept
        served.clock.advance(2 * 86_400_000)
        await served.house.challenges.begin(planned)
        assert await told(served, planned) == [one], "the start of the lesson adds none"


async def test_what_planning_left_out_the_next_round_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_anything: object) -> None:
        raise ConnectionError("no store")

    async with school(tmp_path, scheme=SCHEME) as served:
        (work,) = (job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.seeds")
        monkeypatch.setattr(Seeds, "commit", never)
        lesson = await plan(served.house, served.class_id, served.ids["teacher"], 2, served.clock.ms() + 86_400_000)
        assert await sealed(served, lesson) is None, "planned all the same"
        monkeypatch.undo()
        await work()
        kept = await sealed(served, lesson)
        assert kept is not None
        await work()
        assert await sealed(served, lesson) == kept


async def test_a_scheme_without_challenges_has_none(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        for one in served.house.capabilities:
            for job in one.jobs:
                if job.name == "attendance.seeds":
                    await job.work()
        assert await told(served, served.lesson_id) == []
