"""Polls, a quick quiz and sign-in as people use them: composed at the desk, answered on a phone, over by the clock.

The sheet on the phone leaves the teacher's picture free; what is kept stands on the lesson's page.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright

from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.lesson import School, enter, phase, teach
from tests.e2e.pictures import DESK, PHONE, picture
from tests.e2e.service import Service, free_port

pytestmark = pytest.mark.timeout(300)
FIRST, SECOND = "trainee01", "trainee02"


@pytest.fixture
async def school(tmp_path: Path, chromium: str | None) -> AsyncIterator[School]:
    (tmp_path / "config.yaml").write_text(f"media:\n  udp_port: {free_port()}\n")
    service = Service(tmp_path, "--demo")
    service.start()
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        async with real_chromium(playwright, chromium) as browser:
            yield School(service, browser)
    service.kill()


async def _compose(teacher: Page, kind: str, question: str, choices: list[str], seconds: str = "") -> None:
    """Fill the form, and leave it to be sent."""
    await teacher.get_by_test_id(f"poll-new-{kind}").click()
    await teacher.get_by_test_id("poll-question").fill(question)
    for _ in choices[2:]:
        await teacher.get_by_test_id("poll-add-choice").click()
    for at, one in enumerate(choices):
        await teacher.get_by_test_id("poll-choice-text").nth(at).fill(one)
    if seconds:
        await teacher.get_by_test_id("poll-seconds").select_option(seconds)


async def _bars(page: Locator | Page) -> list[str | None]:
    return [await bar.get_attribute("data-count") for bar in await page.get_by_test_id("poll-bar").all()]


async def _picture_is_free(page: Page) -> None:
    """The sheet begins below the teacher's picture."""
    sheet = await page.get_by_test_id("polls").bounding_box()
    video = await page.get_by_test_id("picture").bounding_box()
    assert sheet is not None
    assert video is not None
    assert sheet["y"] >= video["y"] + video["height"] - 1


async def _a_poll_on_a_phone(teacher: Page, jia: Page, yi: Page) -> None:
    await _compose(teacher, "single", "翻身时先做哪一步？", ["告诉老人", "抬腿", "叫同事"])
    await teacher.get_by_test_id("poll-anonymous-on").check()
    await picture(teacher, "desk-poll-compose", both=True)
    assert await look(teacher, "a poll is composed") == []
    await teacher.get_by_test_id("poll-open-now").click()
    await jia.locator("[data-test=poll][data-state=open]").wait_for()
    await _picture_is_free(jia)
    assert await jia.get_by_test_id("poll-send").is_disabled()
    await jia.get_by_test_id("poll-anonymous").wait_for()
    await picture(jia, "trainee-poll", both=True)
    assert await look(jia, "a poll on a phone") == []
    await jia.get_by_test_id("poll-choice").first.focus()
    await jia.keyboard.press("Space")
    await jia.get_by_test_id("poll-send").press("Enter")
    await jia.locator("[data-test=poll][data-answered=true]").wait_for()
    await yi.get_by_test_id("poll-choice").nth(1).check()
    await yi.get_by_test_id("poll-send").click()
    await teacher.locator("[data-test=poll-bars][data-answered='2']").wait_for()
    assert await _bars(teacher) == ["1", "1", "0"]
    assert await teacher.get_by_test_id("desk-poll-who").count() == 0
    await picture(teacher, "desk-poll-live", both=True)
    await teacher.get_by_test_id("poll-close").click()
    await teacher.get_by_test_id("poll-show").click()
    await jia.locator("[data-test=poll-bars][data-answered='2']").wait_for()
    assert await _bars(jia) == ["1", "1", "0"]
    await _picture_is_free(jia)
    await picture(jia, "trainee-poll-result", both=True)
    await jia.get_by_test_id("polls-aside").click()
    await jia.get_by_test_id("polls-open").wait_for()


async def _a_quiz_that_ends_by_the_clock(teacher: Page, jia: Page, yi: Page) -> None:
    await _compose(teacher, "judgement", "洗手要二十秒。", [], "20")
    await teacher.get_by_test_id("poll-mark").first.click()
    await teacher.get_by_test_id("poll-keep").click()
    await teacher.get_by_test_id("poll-draft-open").click()
    await jia.locator("[data-test=poll][data-state=open]").wait_for()
    assert await jia.get_by_test_id("poll-right").count() == 0
    await jia.get_by_test_id("poll-choice").first.check()
    await jia.get_by_test_id("poll-send").click()
    await teacher.get_by_test_id("desk-poll-who").locator("summary").click()
    await teacher.get_by_test_id("desk-poll-missing").get_by_text("演示·乙").wait_for()
    assert "演示·甲" not in await teacher.get_by_test_id("desk-poll-missing").inner_text()
    await yi.get_by_test_id("poll-left").wait_for()
    await yi.get_by_test_id("poll-over").wait_for(timeout=30_000)
    assert await yi.get_by_test_id("poll-choice").count() == 0
    assert await jia.get_by_test_id("poll-verdict").count() == 0
    await teacher.get_by_test_id("poll-show").click()
    await jia.locator("[data-test=poll-verdict][data-right=true]").wait_for()
    await jia.get_by_test_id("poll-right").wait_for()
    await picture(jia, "trainee-quiz-right", both=True)
    assert await look(jia, "a quiz that is over") == []
    await picture(teacher, "desk-quiz-over", both=True)


async def _a_sign_in(teacher: Page, jia: Page) -> None:
    await teacher.get_by_test_id("sign-in-open").click()
    await jia.get_by_test_id("sign-in-here").wait_for()
    await picture(jia, "trainee-sign-in", both=True)
    await jia.set_viewport_size(DESK)
    await picture(jia, "trainee-sign-in-desk")
    await jia.set_viewport_size(PHONE)
    await jia.get_by_test_id("sign-in-here").click()
    await jia.get_by_test_id("sign-in-done").wait_for()
    await teacher.locator("[data-test=desk-sign-in][data-here='1']").wait_for()
    await teacher.get_by_test_id("sign-in-close").click()
    await jia.get_by_test_id("sign-in").wait_for(state="detached")


async def _what_is_kept(teacher: Page, school: School) -> None:
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("end-confirm").click()
    await phase(teacher, "ended")
    await teacher.get_by_test_id("open-strips").click()
    await teacher.get_by_test_id("poll-kept").nth(1).wait_for()
    assert await teacher.get_by_test_id("poll-names").count() == 1  # of the quiz; the poll was anonymous
    await teacher.get_by_test_id("poll-names").locator("summary").click()
    rows = await teacher.get_by_test_id("poll-person").all_inner_texts()
    (answered,) = (row for row in rows if "演示·甲" in row)
    assert answered.split()[-2:] == ["对", "对"]
    await teacher.get_by_test_id("sign-in-kept").wait_for()
    await teacher.get_by_test_id("polls-kept").scroll_into_view_if_needed()
    await picture(teacher, "desk-polls-kept", both=True)
    assert await look(teacher, "what is kept of polls") == []
    _, staff = await school.signed_in("staff", "desk", DESK)
    await staff.goto(teacher.url)
    await staff.get_by_test_id("poll-kept").nth(1).wait_for()


async def test_polls_a_quiz_and_a_sign_in(school: School) -> None:
    teacher = await teach(school)
    _, jia = await school.signed_in(FIRST, "learn", PHONE, first=True)
    _, yi = await school.signed_in(SECOND, "learn", PHONE)
    await enter(jia)
    await enter(yi)
    await teacher.get_by_test_id("start").click()
    await phase(teacher, "live")
    await jia.locator("[data-test=picture][data-playing=true]").wait_for()
    await _a_poll_on_a_phone(teacher, jia, yi)
    await _a_quiz_that_ends_by_the_clock(teacher, jia, yi)
    await _a_sign_in(teacher, jia)
    await _what_is_kept(teacher, school)
