"""A trainee with a real account, a real password and a program of their own: nothing earns more than the time that
passed while the lesson was open and the account held its one lease (I2). Who sat there is for challenges to ask.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.arena import BEAT_MS, Arena, Client, arena
from tests.school import PASSWORD, plan

MINUTE_MS = 60_000


@pytest.fixture
async def open_lesson(tmp_path: Path) -> AsyncIterator[Arena]:
    async with arena(tmp_path / "data") as found:
        yield found


async def honest(lesson: Arena, client: Client, beats: int = 6) -> None:
    for _ in range(beats):
        lesson.pass_time(BEAT_MS)
        client.mono += BEAT_MS
        assert (await client.beat())["ok"]


async def test_an_honest_minute_is_a_minute(open_lesson: Arena) -> None:
    """The measure of all that follows."""
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        await honest(open_lesson, client)
    assert await open_lesson.earned("jia") == open_lesson.wall_ms == MINUTE_MS


async def test_replayed_beats_earn_once(open_lesson: Arena) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        old: list[dict[str, Any]] = []
        for _ in range(6):
            open_lesson.pass_time(BEAT_MS)
            client.mono += BEAT_MS
            sent = {name: client.lease[name] for name in ("epoch", "nonce")}
            old.append({**sent, "seq": client.lease["seq"] + 1, "mono": client.mono, "spans": [[0, client.mono]]})
            assert (await client.beat())["ok"]
            for beat in old:
                answer = await page.call("beat", **beat)
                assert answer["ok"] is (beat is old[-1]), "only the last is answered again, and changes nothing"
    assert await open_lesson.earned("jia") == MINUTE_MS


@pytest.mark.parametrize("speed", [1.01, 2, 16, 1000])
async def test_a_fast_clock_gains_nothing(open_lesson: Arena, speed: float) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        for _ in range(6):
            open_lesson.pass_time(BEAT_MS)
            client.mono += round(BEAT_MS * speed)
            await client.beat()
    assert await open_lesson.earned("jia") <= open_lesson.wall_ms


async def test_many_beats_in_one_moment_are_one_moment(open_lesson: Arena) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        for _ in range(3):
            open_lesson.pass_time(1_000)
            for _ in range(20):
                client.mono += BEAT_MS
                await client.beat([[client.mono - BEAT_MS, client.mono]])
    assert await open_lesson.earned("jia") <= open_lesson.wall_ms == 3_000


@pytest.mark.parametrize(
    "spans",
    [
        [[0, 2**53]],
        [[-(10**9), 10**9]],
        [[0, 60_000]] * 60,
        [[0, 1], [0, 60_000], [5, 50_000]],
        [[60_000, 0]],
        [[10**15, 10**15 + 10_000]],
    ],
)
async def test_forged_spans_are_cut_to_the_time_that_passed(open_lesson: Arena, spans: list[list[int]]) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        for _ in range(6):
            open_lesson.pass_time(BEAT_MS)
            client.mono += BEAT_MS
            await client.beat(spans)
    assert await open_lesson.earned("jia") <= open_lesson.wall_ms


@pytest.mark.parametrize(
    ("name", "value"),
    [("mono", 2**54), ("mono", -1), ("seq", 99), ("spans", [[0, 1]] * 65), ("epoch", 99)],
)
async def test_a_beat_that_no_page_would_send_is_refused(open_lesson: Arena, name: str, value: Any) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        open_lesson.pass_time(BEAT_MS)
        client.mono += BEAT_MS
        answer = await client.beat(**{name: value})
        assert not answer["ok"], answer
        assert answer["code"] in ("bad_request", "beat_refused", "lease_lost")
    assert await open_lesson.earned("jia") == 0


@pytest.mark.parametrize("name", ["credit_ms", "credited", "total", "now", "received_ms", "person_id"])
async def test_a_page_has_no_words_for_what_it_earned(open_lesson: Arena, name: str) -> None:
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        open_lesson.pass_time(BEAT_MS)
        forged: dict[str, Any] = {name: 3_600_000}
        answer = await client.beat(**forged)
        assert answer["code"] == "bad_request"
    assert await open_lesson.earned("jia") == 0


async def test_two_devices_share_one_minute(open_lesson: Arena) -> None:
    """A second device needs the password; then the first is told at once and earns no more."""
    async with open_lesson.school.page("jia") as one, open_lesson.school.page("jia") as two:
        first, second = Client(one), Client(two)
        await first.join()
        await honest(open_lesson, first, 2)
        assert (await second.join(page="page-two"))["code"] == "lease_held"
        assert (await second.join(page="page-two", password="a wrong password"))["code"] == "password_wrong"
        assert (await second.join(page="page-two", password=PASSWORD))["ok"]
        (told,) = one.heard("lease:lost")
        assert told["reason"] == "taken_over"
        for _ in range(4):
            open_lesson.pass_time(BEAT_MS)
            first.mono += BEAT_MS
            second.mono += BEAT_MS
            assert (await first.beat())["code"] == "lease_lost"
            assert (await second.beat())["ok"]
    assert await open_lesson.earned("jia") <= open_lesson.wall_ms


async def test_two_lessons_at_once_share_one_minute(open_lesson: Arena) -> None:
    school = open_lesson.school
    other = await plan(school.house, school.class_id, school.ids["other"], 2, school.clock.ms())
    async with school.page("other") as desk, school.page("jia") as one, school.page("jia") as two:
        await desk.join(lesson_id=other)
        assert (await desk.call("lesson:start", lesson_id=other))["ok"]
        first, second = Client(one), Client(two)
        await first.join()
        assert (await second.join(lesson_id=other, page="page-two"))["code"] == "lease_held"
        assert (await second.join(lesson_id=other, page="page-two", password=PASSWORD))["ok"]
        for _ in range(6):
            open_lesson.pass_time(BEAT_MS)
            first.mono += BEAT_MS
            second.mono += BEAT_MS
            assert (await first.beat())["code"] == "lease_lost"
            assert (await second.beat(lesson_id=other))["ok"]
            assert not (await second.beat())["ok"], "a lease is of its own lesson"
        await desk.call("lesson:end", lesson_id=other)
    assert await open_lesson.earned("jia") == 0


async def test_a_stolen_nonce_earns_nobody_anything(open_lesson: Arena) -> None:
    async with open_lesson.school.page("jia") as one, open_lesson.school.page("yi") as two:
        victim, thief = Client(one), Client(two)
        await victim.join()
        await thief.join()
        own = dict(thief.lease)
        for _ in range(6):
            open_lesson.pass_time(BEAT_MS)
            thief.mono += BEAT_MS
            thief.lease = dict(victim.lease)
            assert not (await thief.beat())["ok"]
            thief.lease = {**own, "nonce": victim.lease["nonce"]}
            assert not (await thief.beat())["ok"]
    assert await open_lesson.earned("jia") == 0


async def test_the_page_that_lost_its_lease_cannot_come_back_by_its_old_words(open_lesson: Arena) -> None:
    async with open_lesson.school.page("jia") as one, open_lesson.school.page("jia") as two:
        first, second = Client(one), Client(two)
        resume = (await first.join())["lease"]["resume"]
        await honest(open_lesson, first, 1)
        await second.join(page="page-two", password=PASSWORD)
        answer = await first.join(resume=resume)
        assert answer["code"] == "lease_held"
        open_lesson.pass_time(BEAT_MS)
        assert not (await first.beat())["ok"]
    assert await open_lesson.earned("jia") <= open_lesson.wall_ms


async def test_a_bot_that_only_waits_earns_nothing_for_its_silence(open_lesson: Arena) -> None:
    """挂课: a page that says nothing for over a minute and then claims all of it."""
    async with open_lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        open_lesson.pass_time(5 * MINUTE_MS)
        client.mono += 5 * MINUTE_MS
        await client.beat([[0, client.mono]])
        await client.join(resume=client.lease["resume"])
        await client.beat([[0, client.mono]])
    assert await open_lesson.earned("jia") == 0


async def test_time_before_and_after_the_lesson_is_worth_nothing(tmp_path: Path) -> None:
    async with arena(tmp_path / "data") as lesson, lesson.school.page("jia") as page:
        client = Client(page)
        await client.join()
        await honest(lesson, client, 3)
        await lesson.desk.call("lesson:end")
        open_ms = lesson.wall_ms
        for _ in range(6):
            lesson.pass_time(BEAT_MS)
            client.mono += BEAT_MS
            await client.beat()
        assert await lesson.earned("jia") == open_ms


@pytest.mark.parametrize("event", ["lesson:start", "lesson:pause", "lesson:resume", "lesson:end", "lesson:break"])
async def test_a_trainee_cannot_move_the_lesson(open_lesson: Arena, event: str) -> None:
    async with open_lesson.school.page("jia") as page:
        await page.join(mono=0)
        answer = await page.call(event)
        assert not answer["ok"]


@pytest.mark.parametrize(
    "path", ["/api/v1/classes/{}/ledger.zip", "/api/v1/classes/{}/ledger.csv", "/api/v1/classes/{}/roster"]
)
async def test_a_trainee_reads_no_ledger(open_lesson: Arena, path: str) -> None:
    async with open_lesson.school.http("jia") as http, http.get(path.format(open_lesson.school.class_id)) as answer:
        assert answer.status in (403, 404)
