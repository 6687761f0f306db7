"""The board of a lesson in its replay: the page and what was drawn on it at the moment that is played."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from server.demo.page import Socket
from tests.core.files.documents import pdf
from tests.e2e.axe import look
from tests.e2e.lesson import STEADY, School
from tests.e2e.past import a_demo, a_desk, a_lesson, begins, go, opened
from tests.e2e.pictures import DESK, PHONE, picture

pytestmark = pytest.mark.timeout(400)

#: so long lies between two things that happen
APART_S = 3.0
LINE = [1_000, 8_000, 5_000, 3_000]
RING = [1_500, 6_500, 6_000, 9_500]


async def test_a_replay_turns_the_pages_as_they_were_turned(tmp_path: Path, chromium: str | None) -> None:
    async with a_demo(tmp_path, chromium) as school:
        taught = await drawn(school)
        await seen_by_a_trainee(school, taught)
        await seen_by_staff(school, taught)


@dataclass
class Taught:
    """A lesson with slides, and what everybody saw (page, strokes) from which moment on, in seconds since 1970."""

    lesson_id: str
    deck: str
    then: list[tuple[float, int, int]]


@dataclass
class Desk:
    """Who teaches, beside their page."""

    socket: Socket
    lesson_id: str
    deck: str

    async def show(self, page: int) -> None:
        await self.socket.call("board:show", lesson_id=self.lesson_id, deck=self.deck if page else "", page=page)

    async def draw(self, page: int, shape: str, colour: str, points: list[int], text: str = "") -> None:
        about: dict[str, Any] = {"deck": self.deck, "page": page, "shape": shape, "colour": colour, "text": text}
        await self.socket.call("board:draw", lesson_id=self.lesson_id, **about, width=60, points=points)


async def drawn(school: School) -> Taught:
    """A lesson with pictures in which pages are turned forth and back and drawn on."""
    async with a_lesson(school) as (teacher, lesson_id), a_desk(school) as socket:
        desk = Desk(socket, lesson_id, await slides(socket, lesson_id))
        then = list[tuple[float, int, int]]()
        for page, strokes, steps in (
            (1, 0, [desk.show(1)]),
            (1, 2, [desk.draw(1, "arrow", "red", LINE), desk.draw(1, "text", "blue", [5_200, 2_600], "先停机,再换刀")]),
            (2, 1, [desk.show(2), desk.draw(2, "ellipse", "green", RING)]),
            (1, 2, [desk.show(1)]),
            (1, 0, [socket.call("board:clear", lesson_id=lesson_id)]),
            (0, 0, [desk.show(0)]),
        ):
            await asyncio.sleep(APART_S)
            for step in steps:
                await step
            then.append((await teacher.evaluate("Date.now()") / 1000, page, strokes))
        await asyncio.sleep(APART_S)
    return Taught(lesson_id, desk.deck, then)


async def slides(socket: Socket, lesson_id: str) -> str:
    """Slides of two pages that are made."""
    login, base = socket.login, f"/api/v1/lessons/{lesson_id}"
    form = {"content-type": "application/octet-stream"}
    path = f"{login.url}{base}/files?use=slides&name=lesson.pdf"
    async with login.http.post(path, data=pdf(["Worn tools", "Coolant"]), headers=form) as answer:
        assert answer.status == 200
        file_id: str = (await answer.json())["file_id"]
    async with asyncio.timeout(120):
        while (await login.get(f"{base}/slides/{file_id}"))["made"] < 2:  # noqa: ASYNC110  nobody is told
            await asyncio.sleep(0.2)
    return file_id


async def stands(page: Page, number: int, strokes: int) -> None:
    """Wait until the board shows so many strokes on this page, and its picture is there; page 0: there is no board."""
    if number == 0:
        await page.get_by_test_id("replay-board").wait_for(state="detached")
        return
    board = f"[data-test=replay-board] [data-page='{number}'][data-strokes='{strokes}']"
    await page.locator(board).wait_for()
    assert await page.locator(f"{board} path, {board} svg text").count() == strokes
    shown = page.locator(f"{board} img")
    async with asyncio.timeout(20):
        while not await shown.evaluate("one => one.complete && one.naturalWidth > 0"):  # noqa: ASYNC110  the page's
            await asyncio.sleep(0.1)
    await page.get_by_test_id("board-coming").wait_for(state="detached")


async def turned(page: Page, taught: Taught, order: list[int]) -> None:
    """At each of these moments the replay shows what everybody saw then."""
    for at in order:
        moment, number, strokes = taught.then[at]
        await go(page, round(moment + APART_S / 2))
        await stands(page, number, strokes)


async def seen_by_a_trainee(school: School, taught: Taught) -> None:
    _, page = await school.signed_in(STEADY, "learn", PHONE)
    await opened(page, taught.lesson_id)
    await go(page, await begins(page))
    await stands(page, 0, 0)
    await turned(page, taught, [0, 1, 2, 3, 4, 5, 3, 2, 1, 0, 5, 2, 1])
    board, small = [await page.get_by_test_id(name).bounding_box() for name in ("replay-board", "video")]
    assert board is not None
    assert small is not None
    assert (board["width"] > 300, small["width"] < board["width"] / 2) == (True, True)
    await picture(page, "replay-board-phone", both=True)
    assert await look(page, "the replay with slides") == []
    await turned(page, taught, [5])
    await picture(page, "replay-board-away-phone")


async def seen_by_staff(school: School, taught: Taught) -> None:
    _, page = await school.signed_in("staff", "desk", DESK)
    await opened(page, taught.lesson_id)
    await turned(page, taught, [3, 2, 1])
    await picture(page, "replay-board-desk", both=True)
    assert await look(page, "the replay with slides") == []
    await page.get_by_test_id("fill").click()
    await page.wait_for_function("document.fullscreenElement !== null")
    await picture(page, "replay-board-full")
