"""How sure media are of a trainee's minute: by what reached all their pages, told twice or lost, never invented."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from media.api import MediaSettings, serving
from media.audience import sources
from media.plane import Plane
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.live.witnessed import KEPT, Deliveries, grade
from server.verify.minutes import UNSEEN, Seen
from tests.live.test_media_worker import KEY, SECONDS, VOICE, Server, server, until
from tests.live.test_service import Beating
from tests.media.clients import EncodedAudio, publish, watch
from tests.school import NOON_MS, Page, school

SLOT = NOON_MS // 60_000


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize(("parts", "sure"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)])
def test_the_grade_is_of_ten_second_parts(parts: int, sure: int) -> None:
    assert grade(parts) == sure


def test_all_pages_of_a_trainee_count_and_nobody_elses() -> None:
    told = Deliveries()
    told.take("lesson", SLOT, {"a.1": [1, 0b000111, 50], "a.2": [2, 0b011100, 900], "b.1": [1, 0b111111, 5]})
    assert told.seen("lesson", "a", SLOT) == Seen(2, 3)
    assert told.seen("lesson", "b", SLOT) == Seen(1, 3)
    for lesson, person, slot in (("lesson", "c", SLOT), ("other", "a", SLOT), ("lesson", "a", SLOT + 1)):
        assert told.seen(lesson, person, slot) == UNSEEN


def test_connected_without_anything_delivered_has_a_way_and_no_grade() -> None:
    told = Deliveries()
    told.take("lesson", SLOT, {"a.1": [2, 0, 0]})
    assert told.seen("lesson", "a", SLOT) == Seen(2, 0)


def test_told_twice_is_told_once_and_pieces_of_a_minute_are_put_together() -> None:
    told = Deliveries()
    for _ in range(2):
        told.take("lesson", SLOT, {"a.1": [1, 0b000011, 50]})
        assert told.seen("lesson", "a", SLOT) == Seen(1, 1)
    told.take("lesson", SLOT, {"a.1": [2, 0b100000, 20]})
    assert told.seen("lesson", "a", SLOT) == Seen(1, 2)


def test_what_nobody_sealed_is_forgotten() -> None:
    told = Deliveries()
    told.take("lesson", SLOT, {"a.1": [1, 0b111111, 50]})
    told.take("lesson", SLOT + KEPT, {})
    assert told.seen("lesson", "a", SLOT) == Seen(1, 3)
    told.take("lesson", SLOT + KEPT + 1, {})
    assert told.seen("lesson", "a", SLOT) == UNSEEN


def _total(plane: Plane) -> int:
    return sum(each.total for each in sources(plane.sessions.values(), plane.followers))


async def _acknowledged(plane: Plane) -> None:
    """Wait until more is acknowledged, and the witness has seen it."""
    known, looked = _total(plane), 0.0

    def more() -> bool:
        nonlocal looked
        grown = _total(plane) > known
        looked = looked or plane._looked_at if grown else 0.0
        return grown and plane._looked_at > looked

    await until(more)


async def _minute_over(one: Server) -> None:
    """The next minute begins, and the worker is told so."""
    one.clock.advance(60_000)
    async with asyncio.timeout(SECONDS):
        await one.media._say()


async def test_the_worker_tells_servers_also_those_that_come_later(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path) as worker, server(path) as one:
        await one.here()
        await one.media.open_room("lesson")
        teacher = await publish(http, one.url, "lesson", one.media.token("lesson", "t.0", True), EncodedAudio(VOICE))
        page, _ = await watch(http, one.url, "lesson", one.media.token("lesson", "a.1", False), ("audio",))
        await _acknowledged(worker.plane)
        await _minute_over(one)
        await until(lambda: one.media.deliveries.seen("lesson", "a", SLOT) == Seen(1, 1))
        assert one.media.deliveries.seen("lesson", "t", SLOT) == UNSEEN
        async with server(path, one.clock) as two:
            await two.here()
            await until(lambda: two.media.deliveries.seen("lesson", "a", SLOT) == Seen(1, 1))
        for each in (page, teacher):
            await each.close()


async def test_a_worker_that_died_in_a_minute_has_lost_it_and_invents_nothing(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = tmp_path / "media.sock"
    async with server(path) as one:
        async with serving(MediaSettings(), KEY, path) as worker:
            await one.here()
            await one.media.open_room("lesson")
            token = one.media.token("lesson", "t.0", True)
            teacher = await publish(http, one.url, "lesson", token, EncodedAudio(VOICE))
            page, _ = await watch(http, one.url, "lesson", one.media.token("lesson", "a.1", False), ("audio",))
            await _acknowledged(worker.plane)
        await until(lambda: not one.media._here)
        async with serving(MediaSettings(), KEY, path) as second:
            await one.here()
            await _minute_over(one)
            await until(lambda: second.plane.witness._slot == SLOT + 1)
            assert one.media.deliveries.seen("lesson", "a", SLOT) == UNSEEN
        for each in (page, teacher):
            await each.close()


async def test_a_minute_shows_its_grade_to_whoever_checks_and_counts_as_it_did(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with school(tmp_path) as served, served.page("teacher") as teacher, served.page("jia") as jia:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        lesson = served.lesson_id
        sends = await publish(http, served.url, lesson, await _token(teacher), EncodedAudio(VOICE))
        watching = Beating(jia, served.clock, (await jia.join(mono=served.clock.ms() - NOON_MS))["lease"])
        gets, _ = await watch(http, served.url, lesson, await _token(jia), ("audio",))
        plane = served.media._plane
        for _ in range(6):
            await _acknowledged(plane)
            await watching.beat(10_000)
        await gets.close()
        await sends.close()
        await until(lambda: not served.sessions)
        for _ in range(6):
            await watching.beat(10_000)
        await teacher.call("lesson:end")
        await until(lambda: bool(served.house.media.deliveries._told))
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        (seal,) = (job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.seal")
        await seal()
        async with served.http("regulator") as session, session.get(f"/api/v1/lessons/{lesson}/strips") as answer:
            rows = (await answer.json())["rows"]
    cells = {row["seat"]: [(cell["credit_ms"], cell["grade"]) for cell in row["cells"]] for row in rows}
    assert cells == {1: [(60_000, 3), (60_000, 0)], 2: [(0, 0), (0, 0)]}


async def _token(page: Page) -> str:
    token: str = (await page.call("lesson:media"))["media"]["token"]
    return token
