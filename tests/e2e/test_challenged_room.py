"""A trainee's phone in a lesson with challenges: one is passed, one missed and made up for; what counts in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, async_playwright

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from tests.attendance.challenges.test_page import ask
from tests.attendance.corrections.test_service import strip
from tests.attendance.test_views import _seal
from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import DESK, PHONE, picture
from tests.school import PASSWORD, School, school

pytestmark = pytest.mark.timeout(240)

SCHEME: Final[dict[str, Any]] = {"class_hour_ms": 60_000, "challenges": {"limit_ms": 240_000, "answer_ms": 60_000}}
#: the page's clock runs ahead together with the server's, which stands still otherwise
AHEAD: Final = (
    "window.ahead = 0; const real = performance.now.bind(performance); performance.now = () => real() + ahead"
)
LEAP_MS: Final = 10_000
#: whoever was here so long was asked
ASKED_MS: Final = 140_000


class Phone:
    """jia's page, and how time passes for it."""

    def __init__(self, served: School, page: Page) -> None:
        self.served, self.page = served, page

    async def enter(self) -> None:
        await self.page.goto(f"{self.served.url}/learn.html#/lesson/{self.served.lesson_id}")
        await self.page.get_by_test_id("login-name").fill("jia")
        await self.page.get_by_test_id("login-password").fill(PASSWORD)
        await self.page.get_by_test_id("login-submit").click()
        await self.page.locator("[data-test=room][data-stage=in][data-phase=live]").wait_for()

    async def leap(self) -> None:
        """Ten seconds pass, and the page's beat of them is acknowledged."""
        before = await self.credit_ms()
        self.served.clock.advance(LEAP_MS)
        await self.page.evaluate("ms => { ahead += ms }", LEAP_MS)
        await self.page.locator(f"[data-test=room]:not([data-credit-ms='{before}'])").wait_for()
        await ask(self.served)

    async def credit_ms(self) -> int:
        return int(await self.page.locator("[data-test=room]").get_attribute("data-credit-ms") or 0)

    async def until(self, state: str) -> None:
        """Until the page shows a challenge in this state."""
        for _ in range(ASKED_MS // LEAP_MS):
            await self.leap()
            if await self.shown(state):
                return
        await self.challenge(state).wait_for()

    async def shown(self, state: str) -> bool:
        return await self.challenge(state).count() > 0

    def challenge(self, state: str) -> Locator:
        return self.page.locator(f"[data-test=challenge][data-state={state}]")

    async def answer(self) -> None:
        prompt = await self.page.get_by_test_id("challenge-prompt").inner_text()
        await self.page.get_by_test_id("challenge-text").fill(prompt.split()[-1])
        await self.page.get_by_test_id("challenge-send").click()
        await self.page.get_by_test_id("challenge").wait_for(state="detached")

    async def says(self, test: str) -> str:
        return await self.page.get_by_test_id(test).inner_text()


@asynccontextmanager
async def phone(
    folder: Path, chromium: str | None, scheme: dict[str, Any] = SCHEME
) -> AsyncIterator[tuple[Phone, School]]:
    async with (
        school(folder / "data", scheme=scheme) as served,
        served.page("teacher") as teacher,
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
    ):
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        playwright.selectors.set_test_id_attribute("data-test")
        context = await browser.new_context(locale="zh-CN", viewport=PHONE)
        page = await context.new_page()
        await page.add_init_script(AHEAD)
        made = Phone(served, page)
        await made.enter()
        yield made, served
        await teacher.call("lesson:end")


async def test_a_challenge_is_passed_another_missed_and_made_up_for(tmp_path: Path, chromium: str | None) -> None:
    async with phone(tmp_path, chromium) as (jia, served):
        await jia.until("asked")
        assert await jia.says("quiet") == "请回答核验"
        assert (await jia.says("counts")).startswith("已认定 0 秒；待核验 ")
        await picture(jia.page, "challenge-asked-phone", both=True)
        assert await look(jia.page, "challenge asked") == []
        await jia.answer()
        await jia.page.locator("[data-test=quiet][data-quiet=recorded]").wait_for()
        await jia.page.get_by_test_id("counts").filter(has_not_text="已认定 0 秒").wait_for()
        passed = await jia.says("counts")
        await jia.leap()
        await jia.page.get_by_test_id("counts").filter(has_text="待核验 10 秒").wait_for()

        await jia.until("asked")
        for _ in range(7):  # nobody answers
            await jia.leap()
        await jia.challenge("blocked").wait_for()
        assert await jia.says("quiet") == "没有通过核验，重新核验前不计"
        assert "未应答抽查：上次通过以后的时间不认定" in await jia.says("challenge")
        await jia.page.get_by_test_id("counts").filter(has_text="未认定：未应答抽查").wait_for()
        assert (await jia.says("counts")).split("；")[0] == passed.split("；")[0], "what was passed stays"
        for size, name in ((PHONE, "phone"), (DESK, "desk")):
            await jia.page.set_viewport_size(size)
            await picture(jia.page, f"challenge-blocked-{name}", both=True)
        assert await look(jia.page, "challenge missed") == []
        await jia.page.set_viewport_size(PHONE)
        await jia.leap()
        await jia.page.get_by_test_id("challenge-again").click()
        await jia.challenge("asked").wait_for()
        await jia.answer()
        await jia.leap()
        await jia.page.get_by_test_id("counts").filter(has_text="待核验 10 秒").wait_for()
        await check_the_end(jia, served)


async def check_the_end(jia: Phone, served: School) -> None:
    """After the lesson everything is sealed, and the trainee's card says what was confirmed."""
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:end"))["ok"]
    await ask(served)
    served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
    await _seal(served)
    await jia.page.goto(f"{served.url}/learn.html?again#/lesson/{served.lesson_id}/record")
    await jia.page.locator("[data-test=record-state]").filter(has_text="已认定").wait_for()
    totals = (await strip(served))["totals"]
    assert MINUTE_MS <= totals["confirmed_ms"] < totals["credit_ms"], "what was missed does not count"
    assert await jia.says("card-minutes") == str(totals["confirmed_ms"] // MINUTE_MS)
    said = await jia.says("card-totals")
    assert "未认定：未应答抽查" in said
    assert "待核验" not in said
    await picture(jia.page, "challenge-card-phone", both=True)
