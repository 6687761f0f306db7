"""At the desk: 请人看一看 is looked at with a word that stays; a host without LibreOffice says what slides it takes."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from server.core.files import office
from tests.attendance.challenges.test_listed import say
from tests.core.files.documents import office as parts
from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import DESK, PHONE, picture
from tests.school import PASSWORD, School, school

pytestmark = pytest.mark.timeout(240)


async def desk(browser: Browser, served: School, who: str, where: str) -> Page:
    """A page of somebody who is signed in."""
    context = await browser.new_context(locale="zh-CN", viewport=DESK)
    page = await context.new_page()
    await page.goto(f"{served.url}/desk.html")
    await page.get_by_test_id("login-name").fill(who)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("login-form").wait_for(state="detached")
    await page.goto(f"{served.url}/desk.html#{where}")
    return page


async def marked(page: Page) -> None:
    lines = page.get_by_test_id("notable-one")
    await lines.first.wait_for()
    assert await look(page, "what a person should look at") == []
    await picture(page, "notable-open", both=True)
    await page.locator("[data-why=too_fast]").get_by_test_id("notable-mark").first.click()
    await page.get_by_test_id("say-text").fill("问过本人，是误触，已说明规则")
    await picture(page, "notable-say", both=True)
    assert await look(page, "a word of what was found") == []
    await page.get_by_test_id("say-go").click()
    await page.get_by_test_id("notable-look").wait_for()
    assert "问过本人，是误触，已说明规则" in await page.get_by_test_id("notable-look").inner_text()
    assert await lines.last.get_attribute("data-open") == "false"
    assert await lines.last.get_by_test_id("notable-mark").count() == 0
    await picture(page, "notable-seen", both=True)
    await page.set_viewport_size(PHONE)
    await picture(page, "notable-phone", both=True)
    assert await look(page, "what was looked at, on a phone") == []


async def only_pdf(page: Page) -> None:
    await page.get_by_test_id("use-program").click()
    await page.get_by_test_id("only-pdf").get_by_text("请先“另存为 PDF”").wait_for()
    give = page.get_by_test_id("give-slides")
    assert ".pptx" not in str(await give.get_attribute("accept"))
    file = {"name": "课件.pptx", "mimeType": "application/octet-stream", "buffer": parts("pptx")}
    await give.set_input_files(file)  # type: ignore[arg-type]  # somebody chose it all the same
    await page.get_by_test_id("slides-refused").wait_for()
    assert "PDF" in await page.get_by_test_id("slides-refused").inner_text()
    await page.get_by_test_id("only-pdf").scroll_into_view_if_needed()
    await picture(page, "slides-only-pdf", both=True)
    assert await look(page, "slides without LibreOffice") == []


async def test_a_word_that_stays_and_slides_without_an_office(
    tmp_path: Path, chromium: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "installed", lambda: None)
    async with (
        school(tmp_path / "data") as served,
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
    ):
        playwright.selectors.set_test_id_attribute("data-test")
        await say(served, "jia", 12, taken=False)
        await say(served, "yi", 120, 300, taken=False)
        await marked(await desk(browser, served, "staff", "/notable"))
        await only_pdf(await desk(browser, served, "teacher", f"/lessons/{served.lesson_id}/room"))
