"""After a lesson: an appeal from the strip, its correction, an objection, and the receipt, as people do it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.verify.program import HOLDS, verify
from tests.attendance.corrections.test_service import slots_of, strip, taught
from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import DESK, PHONE, picture
from tests.school import PASSWORD, School

pytestmark = pytest.mark.timeout(180)
BOTH_STORES = False
#: where the doors lead
HOME = re.compile("#/(today|classes|institutions|oversight)$")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with taught(tmp_path) as one:
        one.slots = await slots_of(one)
        yield one


@asynccontextmanager
async def signed_in(browser: Browser, served: School, who: str, place: str) -> AsyncIterator[Page]:
    """Somebody's own browser at a page; whatever its console complains of fails the test."""
    entry, size = ("learn.html", PHONE) if who in ("jia", "yi") else ("desk.html", DESK)
    context = await browser.new_context(locale="zh-CN", viewport=size)
    complaints: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    await page.goto(f"{served.url}/{entry}")
    await page.fill("input[autocomplete=username]", who)
    await page.fill("input[type=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(HOME)
    await page.goto(f"{served.url}/{entry}#{place}")
    try:
        yield page
        assert complaints == []
    finally:
        await context.close()


async def published(served: School) -> None:
    """Let the log publish the lesson; if it begins only now, its first minute is the one that is just running."""
    for _ in range(3):
        served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
        await served.house.log.round()


async def pick(page: Page, nth: int) -> None:
    """Walk to a minute of the strip with the keys."""
    await page.locator("[data-test=strip] .host").focus()
    await page.keyboard.press("Home")
    for _ in range(nth):
        await page.keyboard.press("ArrowRight")


async def say(page: Page, button: str, text: str) -> None:
    """Press a button of the queue and give the reason it asks for."""
    await page.click(f"[data-test={button}]")
    await page.fill("[data-test=say-text]", text)
    await page.click("[data-test=say-go]")
    await page.wait_for_selector("[data-test=say]", state="detached")


async def appeal(page: Page) -> None:
    """Ask about the second minute: the first one counts whole."""
    await page.wait_for_selector("[data-test=appeals]")
    await pick(page, 0)
    assert await page.locator("[data-test=appeal-open]").count() == 0, "this minute counts whole"
    await pick(page, 1)
    await page.click("[data-test=appeal-open]")
    await page.fill("[data-test=appeal-text]", "手机来电，一直在听课")
    await look(page, "appeal form")
    await page.click("[data-test=appeal-send]")
    await page.wait_for_selector("[data-test=appeal-list] [data-state=open]")
    assert await page.locator("[data-test=appeal-open]").count() == 0, "it is being asked about already"
    await picture(page, "appeal", both=True)


async def test_from_the_strip_to_an_objection(served: School, chromium: str | None) -> None:
    record = f"/lesson/{served.lesson_id}/record"
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        async with signed_in(browser, served, "jia", record) as page:
            await appeal(page)
        async with signed_in(browser, served, "staff", "/corrections") as page:
            await page.click("[data-test=appeal-propose]")
            await page.fill("[data-test=propose-text]", "讲师证明当时在课堂")
            await look(page, "propose")
            await page.click("[data-test=propose-send]")
            await page.wait_for_selector("[data-test=correction][data-state=proposed]")
            assert await page.locator("[data-test=approve]").count() == 0, "who proposes does not approve"
        async with signed_in(browser, served, "admin", "/corrections") as page:
            await say(page, "approve", "已核对回放")
            await page.wait_for_selector("[data-test=correction][data-state=approved]")
            values = await page.locator("[data-test=both-values]").inner_text()
            assert "原计 0 秒，更正后计 1 分钟" in values
            await look(page, "queue")
            await picture(page, "corrections", both=True)
        async with signed_in(browser, served, "jia", record) as page:
            await page.wait_for_selector("[data-test=appeal-list] [data-state=corrected]")
            await pick(page, 1)
            said = await page.locator("[data-test=minute-detail]").inner_text()
            assert "已记录 0 秒" in said
            assert "更正后计 60 秒" in said
            assert "已核对回放" in await page.locator("[data-test=appeal-list]").inner_text()
            await picture(page, "corrected", both=True)
        assert (await strip(served))["totals"]["confirmed_ms"] == 180_000
        served.clock.advance(MINUTE_MS)
        async with signed_in(browser, served, "regulator", "/corrections") as page:
            await page.wait_for_selector("[data-test=view-recorded]")
            await say(page, "object", "依据不足")
            await page.wait_for_selector("[data-test=correction][data-state=objected]")
            await page.goto(f"{served.url}/desk.html#/lessons/{served.lesson_id}")
            await page.wait_for_selector("[data-test=looks]")
    assert (await strip(served))["totals"]["confirmed_ms"] == 120_000


async def test_a_whole_class_from_the_lesson(served: School, chromium: str | None) -> None:
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        async with signed_in(browser, served, "staff", f"/lessons/{served.lesson_id}") as page:
            await page.click("[data-test=propose-open]")
            await page.fill("[data-test=propose-text]", "机房停电，讲师与学员均在场")
            assert await page.locator("[data-test=propose-who] option").count() == 3
            await page.click("[data-test=propose-send]")
            await page.wait_for_selector("[data-test=correction][data-state=proposed]")
            assert "2 名学员" in await page.locator("[data-test=correction]").inner_text()
        async with signed_in(browser, served, "admin", "/corrections") as page:
            await say(page, "refuse", "没有停电记录")
            await page.wait_for_selector("[data-test=correction][data-state=refused]")
    assert (await strip(served, "yi"))["totals"]["confirmed_ms"] == 0


async def test_a_regulator_from_the_area_to_the_proof(served: School, chromium: str | None) -> None:
    await published(served)
    async with (
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
        signed_in(browser, served, "regulator", "/oversight") as page,
    ):
        await page.click("[data-test=open-strips]")
        await page.locator("[data-test=open-trainee]").first.click()
        await page.wait_for_selector("[data-test=trainee-lesson-1]")
        assert await page.locator("[data-test=view-recorded]").count() == 1
        await page.click("[data-test=prove]")
        await page.wait_for_selector("[data-test=proven][data-verdict=unknown]")  # nobody's key was given
        await page.click("[data-test=proof] summary")
        await page.fill("[data-test=proof-keys]", str(served.house.log.key))
        await page.click("[data-test=prove]")
        await page.wait_for_selector("[data-test=proven][data-verdict=holds]")
        said = await page.locator("[data-test=proven]").inner_text()
        assert "无外部见证" in said
        await look(page, "trainee")
        await picture(page, "trainee", both=True)
        await page.reload()  # who is signed in sees the page again
        await page.wait_for_selector("[data-test=trainee-name]")
        await page.goto(f"{served.url}/desk.html")
        await page.wait_for_url(HOME)


async def test_evidence_that_was_changed_is_named_on_the_page(served: School, chromium: str | None) -> None:
    await published(served)
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        place = f"/classes/{served.class_id}/trainees/{served.ids['jia']}"
        async with signed_in(browser, served, "regulator", place) as page:

            async def forge(route: Route) -> None:
                body = await (await route.fetch()).text()
                await route.fulfill(body=body.replace('"credit_ms":120000', '"credit_ms":180000'))

            await page.route("**/evidence.json", forge)
            await page.click("[data-test=prove]")
            await page.wait_for_selector("[data-test=proven][data-verdict=changed]")
            assert "第 1 课次 学员 #1" in await page.locator("[data-test=proven]").inner_text()


async def test_a_class_is_settled_and_everybody_sees_it(served: School, chromium: str | None, tmp_path: Path) -> None:
    home = f"/classes/{served.class_id}"
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        async with signed_in(browser, served, "staff", home) as page:
            await page.click("[data-test=settle]")
            await page.wait_for_selector("[data-test=settle-lessons]")  # its last minutes are not sealed yet
            assert await page.locator("[data-test=settlement-none]").count() == 1
            await published(served)
            await page.click("[data-test=settle]")
            await page.wait_for_selector("[data-test=settlement-line]")
            await page.click("[data-test=settlement-each] summary")
            assert "2 分" in await page.locator("[data-test=settled-1]").inner_text()
            await look(page, "settlement")
            await picture(page, "settlement", both=True)
        async with signed_in(browser, served, "jia", "/today") as page:
            assert "第 1 次结算" in await page.locator("[data-test=settled]").inner_text()
        async with signed_in(browser, served, "regulator", home) as page:
            await page.wait_for_selector("[data-test=settlement-line]")
            assert await page.locator("[data-test=settle]").count() == 0, "who looks in settles nothing"
    await published(served)
    package = await served.house.exchange.package(served.class_id)
    (tmp_path / "class.zip").write_bytes(package.content)
    (tmp_path / "keys.txt").write_text(str(served.house.log.key))
    code, lines = verify(tmp_path / "class.zip", tmp_path / "keys.txt")
    assert code == HOLDS, lines
    assert any("结算" in line for line in lines), lines


async def test_a_trainee_keeps_a_receipt(served: School, chromium: str | None, tmp_path: Path) -> None:
    record = f"/lesson/{served.lesson_id}/record"
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        async with signed_in(browser, served, "jia", record) as page:
            await page.get_by_text("记录封存后生成回执").wait_for()
        await published(served)
        async with signed_in(browser, served, "jia", record) as page:
            await page.wait_for_selector("[data-test=receipt] svg")
            await look(page, "receipt")
            await picture(page, "receipt", both=True)
            async with page.expect_download() as download:
                await page.click("[data-test=receipt-save]")
            await (await download.value).save_as(tmp_path / "receipt.txt")
    package = await served.house.exchange.package(served.class_id)
    (tmp_path / "class.zip").write_bytes(package.content)
    (tmp_path / "keys.txt").write_text(str(served.house.log.key))
    code, lines = verify(tmp_path / "class.zip", tmp_path / "keys.txt", receipts=[tmp_path / "receipt.txt"])
    assert code == HOLDS, lines
    assert any("学时回执 · receipts: 1" in line for line in lines)
