"""A trainee's phone in a lesson with prompt challenges: a code mistyped and put right, a sum, one missed and verified
again; what counts in the end. What asks is the real provider.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, async_playwright

from server.attendance.challenges.prompts import Prompts
from server.attendance.challenges.provider import Prompt, Question
from server.attendance.challenges.records import events_of
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.verify.vouched import Outcome
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
#: a leap after the last pass, and what the answer took
WAITS: Final = re.compile(r"待核验 1\d 秒")
#: nobody answers sooner who reads
READ_MS: Final = 2_000


class InTurn(Prompts):
    """The real provider, whose draw asks for a code at every odd challenge and for a sum at every even one."""

    async def prompt(self, question: Question) -> Prompt:
        return await super().prompt(_turned(question))

    async def judge(self, question: Question, answer: str) -> bool:
        return await super().judge(_turned(question), answer)


def _turned(question: Question) -> Question:
    kind = bytes([(question.number + 1) % 2])
    return replace(question, drawn=question.drawn[:4] + kind + question.drawn[5:])


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
        """Read it, as long as that takes, and answer."""
        self.served.clock.advance(READ_MS)
        await self.page.evaluate("ms => { ahead += ms }", READ_MS)
        asked = await self.asked()
        if "+" in asked:
            first, _, second = asked.partition(" + ")
            right = str(int(first) + int(second))
            await self.page.get_by_test_id("challenge-choice").get_by_text(right, exact=True).click()
        else:
            await self.page.get_by_test_id("challenge-text").fill(asked)
            await self.page.get_by_test_id("challenge-send").click()
        await self.page.get_by_test_id("challenge").wait_for(state="detached")

    async def asked(self) -> str:
        return await self.page.get_by_test_id("challenge-prompt").get_attribute("data-text") or ""

    async def mistype(self) -> None:
        """A digit of the code is wrong: the page says so and sends nothing."""
        code = await self.asked()
        wrong = code[:2] + str((int(code[2]) + 1) % 10) + code[3:]
        field = self.page.get_by_test_id("challenge-text")
        assert await field.get_attribute("inputmode") == "numeric"
        for typed, said in ((code[:4], "还没有输完"), (wrong, "不算答错")):
            await field.fill(typed)
            await field.press("Enter")
            await self.page.get_by_test_id("challenge-fault").filter(has_text=said).wait_for()
            assert await field.evaluate("one => one === document.activeElement"), "the cursor waits in the field"

    async def sees(self, *tests: str) -> None:
        """What is asked hides neither the picture nor itself: all of it is on the screen, nothing over another."""
        boxes = [await self.page.locator(f"[data-test={one}]").first.bounding_box() for one in tests]
        picture = await self.page.locator(".screen").bounding_box()
        size = self.page.viewport_size
        assert picture is not None
        assert size is not None
        above = 0.0 if size["width"] >= 1024 else picture["y"] + picture["height"] - 1
        for box, least in ((picture, 0.0), *((box, above) for box in boxes)):
            assert box is not None
            assert least <= box["y"] <= size["height"] + 1 - box["height"], (box, picture)

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
        served.house.challenges.provider = InTurn()
        await type_a_code(jia, served)
        await choose_a_sum(jia)
        await jia.until("asked")
        passed = await jia.says("counts")
        for _ in range(7):  # nobody answers
            await jia.leap()
        await jia.challenge("blocked").wait_for()
        assert await jia.says("quiet") == "没有通过核验，重新核验前不计"
        assert "未应答抽查：上次通过以后的时间不认定" in await jia.says("challenge")
        await jia.page.get_by_test_id("counts").filter(has_text="未认定：未应答抽查").wait_for()
        read = confirmed_ms(await jia.says("counts")) - confirmed_ms(passed)
        assert read == READ_MS, "what was passed stays, and the time in which it was read with it"
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
        await jia.page.get_by_test_id("counts").filter(has_text=WAITS).wait_for()
        assert await outcomes(served) == [
            *(Outcome.ISSUED, Outcome.PASSED) * 2,
            *(Outcome.ISSUED, Outcome.TIMED_OUT, Outcome.ISSUED, Outcome.PASSED),
        ]
        await check_the_end(jia, served)


async def type_a_code(jia: Phone, served: School) -> None:
    """Mistyped at first, which costs nothing; then right."""
    await jia.page.evaluate("scrollTo(0, 9999)")
    await jia.until("asked")
    assert await jia.says("quiet") == "请回答核验"
    assert (await jia.says("counts")).startswith("已认定 0 秒；待核验 ")
    await jia.mistype()
    await jia.sees("challenge-prompt", "challenge-text", "challenge-fault")
    await picture(jia.page, "challenge-mistyped-phone", both=True)
    assert await look(jia.page, "challenge mistyped") == []
    assert await outcomes(served) == [Outcome.ISSUED], "nothing was sent"
    await jia.answer()
    await jia.page.locator("[data-test=quiet][data-quiet=recorded]").wait_for()
    await jia.page.get_by_test_id("counts").filter(has_not_text="已认定 0 秒").wait_for()
    await jia.leap()
    await jia.page.get_by_test_id("counts").filter(has_text=WAITS).wait_for()


def confirmed_ms(counts: str) -> int:
    """What is confirmed, by the page's words: `已认定 3 分 22 秒；…`."""
    (minutes, seconds), *_ = re.findall(r"已认定 (\d+) 分 (\d+) 秒", counts)
    return (int(minutes) * 60 + int(seconds)) * 1_000


async def choose_a_sum(jia: Phone) -> None:
    """Its answer is one of four."""
    await jia.until("asked")
    await jia.sees("challenge-prompt", "challenge-choice", "challenge-left")
    for size, name in ((DESK, "desk"), (PHONE, "phone")):
        await jia.page.set_viewport_size(size)
        await picture(jia.page, f"challenge-asked-{name}", both=True)
    assert await look(jia.page, "challenge asked") == []
    before = (await jia.says("counts")).split("；")[0]
    await jia.answer()
    await jia.page.get_by_test_id("counts").filter(has_not_text=before).wait_for()


async def outcomes(served: School) -> list[Outcome]:
    """What happened to jia's challenges so far."""
    async with served.house.store.database.read() as connection:
        return [one.outcome for one in (await events_of(connection, served.lesson_id))[served.ids["jia"]]]


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
