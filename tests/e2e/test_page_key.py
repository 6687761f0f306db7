"""A page's key in Chromium: a reload brings it back, a cleared store makes a new one; neither costs a millisecond."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from server.demo.page import sign_in
from server.verify.acks import read_ack
from server.verify.notes import encode, read_note
from server.verify.pages import check_page, head_text
from server.verify.signatures import unpack
from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.pictures import PHONE
from tests.e2e.service import Service
from tests.e2e.taught import started

pytestmark = pytest.mark.timeout(240)
CLEAR = """() => new Promise((done, failed) => {
  const clearing = indexedDB.deleteDatabase('keshi')
  clearing.onsuccess = () => done(true)
  clearing.onerror = clearing.onblocked = () => failed(new Error('the store is in use'))
})"""
WITHOUT = "Object.defineProperty(crypto, 'subtle', {value: undefined}); delete Crypto.prototype.subtle"


@dataclass
class Lesson:
    """A lesson that is being taught, and a browser."""

    service: Service
    browser: Browser
    lesson_id: str
    #: when a page was away, by the driver's clock and on the wide side
    away_ms: float = 0.0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.service.data / "keshi.db")) as store:
            return store.execute(query).fetchall()

    def keys(self) -> list[tuple[str, str]]:
        """Each lease's key and whether it was known, in order."""
        return self.rows("SELECT public, known FROM page_key ORDER BY epoch")

    async def enter(self, login: str, script: str = "") -> Page:
        context = await self.browser.new_context(viewport=PHONE, locale="zh-CN")
        page = await context.new_page()
        if script:
            await page.add_init_script(script)
        await page.goto(f"{self.service.url}/learn.html")
        await page.get_by_test_id("login-name").fill(login)
        await page.get_by_test_id("login-password").fill(self.service.password(login))
        await page.get_by_test_id("login-submit").click()
        await page.get_by_test_id("enter-lesson").click()
        await acknowledged(page)
        return page

    async def reload(self, page: Page) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await page.reload()
        await acknowledged(page)
        self.away_ms += (loop.time() - before) * 1000


async def acknowledged(page: Page) -> None:
    """Wait until the page is in and its first beat is on disk."""
    await page.locator("[data-test=room][data-stage=in]").wait_for()
    await page.locator("[data-quiet=recorded]").wait_for()


async def first_signatures(lesson: Lesson) -> bytes:
    """What the pages signed in the first minute that has an end."""
    async with asyncio.timeout(150):
        while True:
            if found := lesson.rows("SELECT signatures FROM page_signature ORDER BY slot"):
                return bytes(found[0][0])
            await asyncio.sleep(0.5)


@pytest.fixture
async def lesson(tmp_path: Path, chromium: str | None) -> AsyncIterator[Lesson]:
    service = Service(tmp_path, "--demo")
    service.start()
    teacher, control, lesson_id = await started(service)
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield Lesson(service, browser, lesson_id)
        await browser.close()
    await teacher.close()
    await control.close()
    service.kill()


async def missing_ms(lesson: Lesson, login: str) -> int:
    """What of the lesson so far is not credited to a trainee between their first and newest acknowledged beat."""
    session = await sign_in(lesson.service.url, login, lesson.service.password(login))
    strips = await session.get(f"/api/v1/lessons/{lesson.lesson_id}/strips")
    await session.close()
    (row,) = strips["rows"]
    return sum(one["ms"] for cell in row["cells"] for one in cell["reasons"] if one["code"] != "absent")


async def test_a_reload_and_a_cleared_store_cost_nothing(lesson: Lesson) -> None:
    page = await lesson.enter("trainee01")
    await asyncio.sleep(3)
    await lesson.reload(page)
    await asyncio.sleep(3)
    assert await page.evaluate(CLEAR)
    await lesson.reload(page)
    await asyncio.sleep(1)
    (first, one), (again, two), (other, three) = lesson.keys()
    assert (one, two, three) == ("fresh", "known", "fresh")
    assert first == again != other
    assert len(first) == 88
    assert await missing_ms(lesson, "trainee01") <= lesson.away_ms


async def test_a_page_signs_its_beats_and_keeps_what_the_log_signed(lesson: Lesson) -> None:
    """Its own signature is stored with the minute; the last note names its chain, and stays over a reload."""
    page = await lesson.enter("trainee01")
    ((key, _),) = lesson.keys()
    (signed,) = unpack(await first_signatures(lesson))
    text = head_text(lesson.lesson_id, signed.epoch, signed.seq, signed.link)
    check_page(key, encode(signed.signature), text)
    notes = await page.evaluate("JSON.parse(localStorage.getItem('keshi.notes'))")
    ack = read_ack(read_note(notes[0]).text)
    assert (ack.lesson_id, ack.person_id, ack.epoch) == (lesson.lesson_id, signed.person_id, signed.epoch)
    assert len(ack.link) == 32
    await lesson.reload(page)
    kept = await page.evaluate("JSON.parse(localStorage.getItem('keshi.notes'))")
    assert len(kept) == 1


async def test_a_page_without_web_crypto_attends_all_the_same(lesson: Lesson) -> None:
    page = await lesson.enter("trainee02", WITHOUT)
    assert not await page.evaluate("'subtle' in crypto && !!crypto.subtle")
    await asyncio.sleep(2)
    assert lesson.keys() == [("", "none")]
    assert await missing_ms(lesson, "trainee02") <= 1_000


async def test_a_page_says_loudly_that_the_log_became_shorter(lesson: Lesson) -> None:
    """It remembers a checkpoint of five minutes; the log of this new house has published none."""
    page = await lesson.enter("trainee01")
    note = f"keshi/before\n5\n{encode(bytes(32))}\n\n\u2014 keshi/before {encode(bytes(68))}\n"
    await page.evaluate("seen => localStorage.setItem('keshi.log', JSON.stringify(seen))", {"note": note, "keys": []})
    await page.goto(f"{lesson.service.url}/learn.html#/today")
    await page.reload()
    alarm = page.get_by_test_id("log-alarm")
    await alarm.wait_for()
    assert await alarm.get_attribute("data-verdict") == "rolled_back"
    assert await look(page, "the alarm") == []
    async with page.expect_download() as waiting:
        await page.get_by_test_id("log-save").click()
    assert note in Path(await (await waiting.value).path()).read_text(encoding="utf-8")
