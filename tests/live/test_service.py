"""A live lesson through its real doors: who may command it, what survives, what everybody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from server.attendance.minutes import MINUTE_MS
from server.core.clock import CLOCK_WRONG_MS, ManualClock
from server.core.database import Database
from server.core.errors import DomainError
from server.live.lesson import ABANDONED_AFTER_MS, State
from tests.school import NOON_MS, Page, School, plan, school


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def _state(served: School) -> State:
    return (await served.house.live.running(served.lesson_id)).lesson.state


async def _heard(page: Page, state: str) -> None:
    """Wait until the page was told of a state."""
    for _ in range(200):
        if any(phase["state"] == state for phase in page.heard("lesson:phase")):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never told {state}: {page.told}")


async def test_a_lesson_runs_from_start_to_end_and_everybody_is_told(served: School) -> None:
    async with served.page("teacher") as teacher, served.page("jia") as trainee:
        await teacher.join()
        assert (await trainee.join())["phase"]["state"] == "planned"
        for command, state in (
            ("start", "live"),
            ("pause", "paused"),
            ("break", "break"),
            ("resume", "live"),
            ("end", "ended"),
        ):
            served.clock.advance(1_000)
            answer = await teacher.call(f"lesson:{command}")
            assert (answer["ok"], answer["phase"]["state"]) == (True, state)
            await _heard(trainee, state)
        async with served.http("jia") as session, session.get(f"/api/v1/lessons/{served.lesson_id}") as shown:
            lesson = await shown.json()
    assert (lesson["state"], lesson["started_at"]) == ("ended", "2026-11-23T09:00:01.000Z")
    assert lesson["ended_at"] == "2026-11-23T09:00:05.000Z"
    seqs = [phase["seq"] for phase in trainee.heard("lesson:phase")]
    assert seqs == sorted(seqs)


class AnswerLost:
    """A store that goes away while it commits: what was written is there, if it `happened`, and nobody was told."""

    def __init__(self, database: Database, happened: bool = True) -> None:
        self.read = database.read
        self._database = database
        self._happened = happened
        self.asked = asyncio.Event()

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncIterator[AsyncConnection]:
        async with self._database.write(*names) as connection:
            yield connection
            self.asked.set()
            if not self._happened:
                raise DomainError("store_unavailable")
        raise DomainError("store_unavailable")


async def test_an_event_of_which_only_the_store_knows_is_found_again(served: School) -> None:
    live = served.house.live
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        whole = live._database
        live._database = cast(Database, AnswerLost(whole))
        assert (await teacher.call("lesson:break"))["code"] == "store_unavailable"
        live._database = whole
        assert (await teacher.call("lesson:break"))["code"] == "lesson_not_live"  # it has happened
        await _heard(teacher, "break")
        assert (await teacher.call("lesson:resume"))["ok"]
        live._database = cast(Database, AnswerLost(whole))
        assert (await teacher.call("lesson:end"))["code"] == "store_unavailable"
        live._database = whole
        assert (await teacher.call("lesson:end"))["code"] == "lesson_ended"


class SlowAnswer(AnswerLost):
    """A store that takes its time before it commits."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncIterator[AsyncConnection]:
        async with self._database.write(*names) as connection:
            yield connection
            self.asked.set()
            await self.go_on.wait()


@dataclass
class Beating:
    """A trainee's page in front; `credit_ms` is what its last acknowledgement said of the whole lesson."""

    page: Page
    clock: ManualClock
    lease: dict[str, Any]
    credit_ms: int = 0

    async def beat(self, after_ms: int) -> int:
        self.clock.advance(after_ms)
        now = self.clock.ms() - NOON_MS
        return await self.say([[now - after_ms, now]])

    async def say(self, spans: list[list[int]]) -> int:
        """A beat at this moment: the page was in front in these spans, by its clock."""
        now = self.clock.ms() - NOON_MS
        names = {name: self.lease[name] for name in ("epoch", "nonce")}
        answer = await self.page.call("beat", seq=self.lease["seq"] + 1, mono=now, spans=spans, **names)
        assert answer["ok"], answer
        self.lease |= {"seq": answer["seq"], "nonce": answer["nonce"]}
        assert answer["credit_ms"] >= self.credit_ms, "what was acknowledged is gone"
        self.credit_ms = answer["credit_ms"]
        return self.credit_ms


@asynccontextmanager
async def _beating(served: School) -> AsyncIterator[tuple[Page, Beating]]:
    """A lesson that is live, its instructor and a trainee."""
    async with served.page("teacher") as teacher, served.page("jia") as page:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        lease = (await page.join(mono=served.clock.ms() - NOON_MS))["lease"]
        yield teacher, Beating(page, served.clock, lease)


async def test_what_is_acknowledged_while_a_break_is_being_written_stays(served: School) -> None:
    live = served.house.live
    async with _beating(served) as (teacher, trainee):
        assert await trainee.beat(10_000) == 10_000
        whole = live._database
        live._database = slow = SlowAnswer(whole)  # type: ignore[assignment]
        pausing = asyncio.ensure_future(teacher.call("lesson:break"))
        await slow.asked.wait()
        assert await trainee.beat(3_000) == 10_000  # whether the lesson is still open nobody knows yet
        slow.go_on.set()
        assert (await pausing)["ok"]
        live._database = whole
        assert await trainee.beat(3_000) == 10_000


@pytest.mark.parametrize("happened", [True, False])
async def test_what_is_acknowledged_after_a_break_whose_answer_was_lost_stays(served: School, happened: bool) -> None:
    live = served.house.live
    async with _beating(served) as (teacher, trainee):
        assert await trainee.beat(10_000) == 10_000
        whole = live._database
        running, lost = await live.running(served.lesson_id), AnswerLost(whole, happened)
        live._database = cast(Database, lost)
        answered = asyncio.ensure_future(teacher.call("lesson:break"))
        await lost.asked.wait()
        async with running.lock:  # the job that finds it out by itself waits as well
            assert (await answered)["code"] == "store_unavailable"
            live._database = whole
            assert await trainee.beat(3_000) == 10_000
        await live.round()
        assert await trainee.beat(3_000) == (10_000 if happened else 16_000)


async def test_no_minute_is_sealed_of_which_nobody_knows_whether_it_was_open(served: School) -> None:
    live = served.house.live
    async with _beating(served) as (teacher, trainee):
        book = await served.house.register.book(served.lesson_id)  # one of before the lesson may be forgotten
        for _ in range(7):
            await trainee.beat(10_000)
        whole = live._database
        live._database = slow = SlowAnswer(whole)  # type: ignore[assignment]
        pausing = asyncio.ensure_future(teacher.call("lesson:break"))
        await slow.asked.wait()
        assert [slot - NOON_MS // MINUTE_MS for slot in book.due(NOON_MS + 10 * MINUTE_MS)] == [0]
        live._database = whole
        slow.go_on.set()
        assert (await pausing)["ok"]
        assert len(book.due(NOON_MS + 10 * MINUTE_MS)) > 1


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("jia", "forbidden"),
        ("staff", "forbidden"),
        ("regulator", "forbidden"),
        ("admin", "forbidden"),
        ("other", "not_found"),
    ],
)
async def test_nobody_but_its_instructor_commands_a_lesson(served: School, who: str, code: str) -> None:
    async with served.page(who) as page:
        for command in ("start", "pause", "break", "resume", "end"):
            answer = await page.call(f"lesson:{command}")
            assert (answer["ok"], answer["code"]) == (False, code)
    assert await _state(served) is State.PLANNED


@pytest.mark.parametrize(("who", "code"), [("stranger", "not_found"), ("abroad", "not_found"), ("other", "not_found")])
async def test_a_lesson_out_of_scope_does_not_exist(served: School, who: str, code: str) -> None:
    async with served.page(who) as page:
        assert (await page.join())["code"] == code
        assert (await page.call("lesson:media"))["code"] == code


async def test_commands_out_of_order_are_refused(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:end"))["code"] == "lesson_not_live"
        await teacher.call("lesson:start")
        assert (await teacher.call("lesson:start"))["code"] == "lesson_already_live"
        assert (await teacher.call("lesson:resume"))["code"] == "lesson_not_live"
        await teacher.call("lesson:end")
        assert (await teacher.call("lesson:break"))["code"] == "lesson_ended"
        assert (await teacher.call("lesson:start"))["code"] in ("lesson_ended", "lesson_over")
    async with served.page("jia") as late:
        assert (await late.join())["code"] == "lesson_ended"


async def test_a_lesson_is_not_started_long_before_its_plan(served: School) -> None:
    early = await plan(served.house, served.class_id, served.ids["teacher"], 2, NOON_MS + 31 * 60_000)
    async with served.page("teacher") as teacher:
        assert (await teacher.call("lesson:start", lesson_id=early))["code"] == "lesson_too_early"
        served.clock.advance(60_000)
        assert (await teacher.call("lesson:start", lesson_id=early))["ok"]


@pytest.mark.parametrize("sign", [1, -1])
async def test_no_lesson_begins_on_a_clock_that_is_known_to_be_wrong(served: School, sign: int) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        served.clock.offset_ms = sign * (CLOCK_WRONG_MS + 1)
        answer = await teacher.call("lesson:start")
        assert (answer["code"], answer["data"]) == ("clock_wrong", {"offset_s": sign * 30})
        assert await _state(served) is State.PLANNED
        served.clock.offset_ms = sign * CLOCK_WRONG_MS
        assert (await teacher.call("lesson:start"))["phase"]["state"] == "live"


async def test_a_lesson_that_runs_on_a_wrong_clock_is_named_once(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        served.clock.offset_ms = CLOCK_WRONG_MS + 1
        with capture_logs() as told:
            for _ in range(3):
                await served.house.live.round()
    named = [line["lesson"] for line in told if line["event"] == "lesson_on_wrong_clock"]
    assert named == [served.lesson_id]
    assert await _state(served) is State.LIVE


async def test_a_room_that_does_not_open_fails_the_start_and_can_be_tried_again(served: School) -> None:
    media = served.media
    async with served.page("teacher") as teacher:
        await teacher.join()
        for n in range(64):
            await media.open_room(f"taken{n}")
        answer = await teacher.call("lesson:start")
        assert (answer["ok"], answer["code"]) == (False, "start_failed")
        assert await _state(served) is State.START_FAILED
        await media.close_room("taken0")
        assert (await teacher.call("lesson:start"))["phase"]["state"] == "live"


async def test_an_instructor_who_leaves_is_noticed_and_a_return_as_well(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
    running = await served.house.live.running(served.lesson_id)
    for _ in range(200):
        if running.lesson.instructor_left_ms is not None:
            break
        await asyncio.sleep(0.01)
    assert running.lesson.instructor_left_ms == NOON_MS
    async with served.page("teacher") as teacher:
        assert (await teacher.join())["phase"]["instructor_present"] is True
        assert running.lesson.instructor_left_ms is None


async def test_an_abandoned_lesson_ends_by_itself(served: School) -> None:
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
    running = await served.house.live.running(served.lesson_id)
    while running.lesson.instructor_left_ms is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    served.clock.advance(ABANDONED_AFTER_MS)
    await served.house.live.round()
    assert await _state(served) is State.LIVE
    served.clock.advance(1)
    await served.house.live.round()
    assert running.lesson.state is State.ENDED


async def test_published_media_is_presence(served: School) -> None:
    live = served.house.live
    async with served.page("teacher") as teacher:
        await teacher.join()
        await teacher.call("lesson:start")
        await live.published(served.lesson_id, True)
        for _ in range(200):
            if teacher.heard("lesson:phase")[-1]["publisher_live"]:
                break
            await asyncio.sleep(0.01)
        assert teacher.heard("lesson:phase")[-1]["publisher_live"] is True
    running = await live.running(served.lesson_id)
    while running.controls:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert running.lesson.instructor_left_ms is None
    await live.published(served.lesson_id, False)
    assert running.lesson.instructor_left_ms is not None


async def test_a_running_lesson_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with school(tmp_path) as before:
        async with before.page("teacher") as teacher:
            await teacher.join()
            await teacher.call("lesson:start")
        lesson_id = before.lesson_id
    async with school(tmp_path, ManualClock(NOON_MS + 30_000)) as after:
        assert after.lesson_id == lesson_id
        assert await _state(after) is State.LIVE
        kinds = [event.kind.value for event in (await after.house.live.running(lesson_id)).events]
        assert kinds[:2] == ["starting", "started"]
        assert kinds[-1] == "server_back"
        assert after.media.stats(lesson_id).publisher_live is False
        async with after.page("teacher") as teacher:
            assert (await teacher.join())["phase"]["state"] == "live"
            assert (await teacher.call("lesson:end"))["ok"]
