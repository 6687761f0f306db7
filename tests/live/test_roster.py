"""Who watches over a lesson is told of rows that look different, and asks for the minutes of those in sight."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.attendance.book import LessonBook
from server.attendance.minutes import MINUTE_MS, slot_of
from server.attendance.register import Register
from server.attendance.timeline import Phase, Transition
from server.attendance.views import Views
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from server.core.wire.declaration import Call
from server.live import roster
from server.live.roster import ENROLLED_MS, MOST_ROWS_PUSHED, MOST_STRIPS, Rosters
from server.training.service import Enrolled, Training
from tests.school import NOON_MS, Page, School, school

#: a lesson may have so many
MANY = 2_000


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


def _push(served: School) -> Callable[[], Awaitable[object]]:
    return next(job.work for one in served.house.capabilities for job in one.jobs if job.name == "live.roster")


async def _beat(page: Page, lease: dict[str, Any], mono: float, spans: list[list[float]]) -> None:
    answer = await page.call(
        "beat", epoch=lease["epoch"], seq=lease["seq"] + 1, nonce=lease["nonce"], mono=mono, spans=spans
    )
    assert answer["ok"], answer
    lease.update(seq=answer["seq"], nonce=answer["nonce"])


async def _rows(teacher: Page) -> list[dict[str, Any]]:
    await teacher.call("lesson:media")  # what was pushed before it has arrived
    return [row for told in teacher.heard("lesson:roster") for row in told["rows"]]


async def test_a_row_is_told_when_it_would_look_different_and_not_for_each_beat(served: School) -> None:
    push = _push(served)
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await trainee.join())["lease"]
        served.clock.advance(10_000)
        await _beat(trainee, lease, 10_000, [[0, 10_000]])
        await push()
        known = len(await _rows(teacher))
        assert known == 1
        for at in range(2, 6):  # within the first minute nothing looks different
            served.clock.advance(10_000)
            await _beat(trainee, lease, at * 10_000, [[(at - 1) * 10_000, at * 10_000]])
            await push()
        assert len(await _rows(teacher)) == known
        served.clock.advance(10_000)
        await _beat(trainee, lease, 60_000, [[50_000, 60_000]])
        await push()
        (row,) = (await _rows(teacher))[known:]
        assert (row["credit_ms"], row["why"], row["came"]) == (60_000, None, True)
        served.clock.advance(10_000)
        await _beat(trainee, lease, 70_000, [[60_000, 62_000]])
        await push()
        (row,) = (await _rows(teacher))[known + 1 :]
        assert (row["present"], row["visible"], row["why"]) == (True, False, "hidden")
    await push()


async def test_who_goes_is_told_also_when_no_beat_says_so(served: School) -> None:
    push = _push(served)
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        async with served.page("jia") as trainee:
            await trainee.join()
            await push()
            assert [(row["name"], row["present"]) for row in await _rows(teacher)] == [("名jia", True)]
        async with served.page("yi"):  # a connection after it: the first one's end was heard
            await push()
        assert [(row["name"], row["present"]) for row in await _rows(teacher)][1:] == [("名jia", False)]


async def test_minutes_are_asked_for(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        ids = [served.ids["jia"], served.ids["yi"], served.ids["stranger"]]
        asked = await teacher.call("lesson:strips", person_ids=ids, since_slot=0)
        assert (asked["first_slot"], [row["cells"] for row in asked["rows"]]) == (None, [[], []])
        await teacher.call("lesson:start")
        first = slot_of(served.clock.ms())
        lease = (await trainee.join())["lease"]
        for at in range(1, 19):
            served.clock.advance(10_000)
            await _beat(trainee, lease, at * 10_000, [[(at - 1) * 10_000, at * 10_000]])
        asked = await teacher.call("lesson:strips", person_ids=ids, since_slot=0)
        assert (asked["first_slot"], asked["last_slot"]) == (first, first + 3)
        assert [row["person_id"] for row in asked["rows"]] == ids[:2]  # a stranger has no row
        mine, absent = (row["cells"] for row in asked["rows"])
        assert [cell["credit_ms"] for cell in mine[:3]] == [MINUTE_MS] * 3
        assert {part["code"] for cell in absent for part in cell["reasons"]} == {"absent"}
        asked = await teacher.call("lesson:strips", person_ids=ids[:1], since_slot=first + 2)
        assert [cell["slot"] for cell in asked["rows"][0]["cells"]] == [cell["slot"] for cell in mine[2:]]


async def test_sealed_minutes_are_the_same_for_one_as_for_all(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await trainee.join())["lease"]
        for at in range(1, 31):
            served.clock.advance(10_000)
            await _beat(trainee, lease, at * 10_000, [[(at - 1) * 10_000, at * 10_000]])
        await next(job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.seal")()
        (asked,) = (await teacher.call("lesson:strips", person_ids=[served.ids["jia"]], since_slot=0))["rows"]
        async with teacher.session.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer:
            (whole,) = (row for row in (await answer.json())["rows"] if row["person_id"] == served.ids["jia"])
        assert {cell["sealed"] for cell in asked["cells"]} == {True, False}
        assert asked["cells"] == whole["cells"]


async def test_a_question_for_too_many_is_refused(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        for count, ok in ((MOST_STRIPS, True), (MOST_STRIPS + 1, False)):
            answer = await teacher.call("lesson:strips", person_ids=[served.ids["jia"]] * count, since_slot=0)
            assert answer["ok"] is ok
        assert answer["code"] == "bad_request"


async def test_a_regulator_asks_only_on_a_page_whose_look_is_on_record(served: School) -> None:
    async with served.page("regulator") as regulator:
        asked = {"person_ids": [served.ids["jia"]], "since_slot": 0}
        assert (await regulator.call("lesson:strips", **asked))["code"] == "not_joined"
        assert (await regulator.join())["view_id"]
        assert (await regulator.call("lesson:strips", **asked))["ok"]


@dataclass
class _Crowd:
    """A lesson of many as its rosters see it: a real book, everybody enrolled, nobody's socket."""

    book: LessonBook = field(default_factory=lambda: LessonBook("lesson"))
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON_MS))
    ids: list[str] = field(default_factory=lambda: [f"{number:016x}" for number in range(MANY)])
    rosters: Rosters = field(init=False)
    reads: int = 0

    def __post_init__(self) -> None:
        self.book.set_timeline((Transition(NOON_MS, Phase.OPEN),), ended=False)
        self.enrolled = [Enrolled(one, seat, "欧阳若楠") for seat, one in enumerate(self.ids, 1)]
        self.holders = {one: SimpleNamespace(person_id=one, lesson_id="lesson", connection="there") for one in self.ids}

        async def book(_lesson_id: str) -> LessonBook:
            return self.book

        async def lesson(_lesson_id: str) -> Any:
            return SimpleNamespace(class_id="class")

        async def roster(_class_id: str) -> list[Enrolled]:
            self.reads += 1
            return self.enrolled

        register = cast(Register, SimpleNamespace(book=book, clock=self.clock, holders=self.holders))
        training = cast(Training, SimpleNamespace(lesson=lesson, roster=roster))
        self.rosters = Rosters(register, training, cast(Views, None))
        for one in self.ids:
            self.book.hold(one, NOON_MS, None)

    async def round(self) -> list[str]:
        """Whose rows are pushed."""
        return [row.person_id for row in await self.rosters.changed("lesson")]

    async def reads_of_rounds(self, rounds: int) -> list[int]:
        """How often each of them read the enrolment."""
        found = []
        for _ in range(rounds):
            before = self.reads
            self.book._changed(self.book.person(self.ids[0]))
            await self.round()
            found.append(self.reads - before)
        return found


async def test_a_push_is_bounded_and_nobody_waits_for_ever() -> None:
    crowd = _Crowd()
    told: set[str] = set()
    for _ in range(4):  # the first hundreds change all the time
        pushed = await crowd.round()
        assert 0 < len(pushed) <= MOST_ROWS_PUSHED
        told.update(pushed)
        for one in crowd.ids[:MOST_ROWS_PUSHED]:
            crowd.book.person(one).visible ^= True
            crowd.book._changed(crowd.book.person(one))
    assert told == set(crowd.ids)
    for _ in range(4):
        await crowd.round()
    assert await crowd.round() == []


async def test_the_enrolment_is_read_again_for_whom_nobody_knew_and_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(roster, "elapsed_ms", lambda: now[0])
    crowd = _Crowd()
    assert await crowd.reads_of_rounds(3) == [1, 0, 0]
    now[0] = ENROLLED_MS
    assert await crowd.reads_of_rounds(1) == [0]
    now[0] += 1
    assert await crowd.reads_of_rounds(2) == [1, 0]
    crowd.enrolled = [*crowd.enrolled, Enrolled("late", MANY + 1, "欧阳若楠")]
    assert await crowd.reads_of_rounds(1) == [0]  # not there yet
    crowd.holders["late"] = SimpleNamespace(person_id="late", lesson_id="lesson", connection="there")
    pushed = [one for _ in range(5) for one in await crowd.round()]
    assert "late" in pushed


async def test_entering_a_lesson_of_two_thousand_is_some_hundred_kilobytes() -> None:
    crowd = _Crowd()
    crowd.clock.advance(90 * MINUTE_MS)
    call = Call(Actor("teacher", Role.INSTRUCTOR, "login", "school"), "connection")
    rows = await crowd.rosters.enter(call, "lesson")
    size = len(json.dumps([asdict(row) for row in rows], ensure_ascii=False, separators=(",", ":")).encode())
    assert len(rows) == MANY
    print(f"{size / 1024:.0f} KiB for {MANY} rows")
    assert size < 320 * 1024
