"""Order in a lesson: silence that no modified client breaks, removal and return, the lobby; the class at a glance."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from playwright.async_api import Page, async_playwright

from tests.crowds.hall import id_number
from tests.e2e.axe import look
from tests.e2e.browsers import FLAGS
from tests.e2e.lesson import ASK, AWAY, CLOSED, NAMES, STEADY, School, enter, phase
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(600)
#: a lesson may have so many; a file of a roster so many rows
MANY, IMPORTED = 2_000, 500
MOST_DRAWN, MOST_NODES = 40, 2_500


async def test_the_order_of_a_lesson(tmp_path: Path, chromium: str | None) -> None:
    demo = Service(tmp_path, "--demo")
    demo.start()
    try:
        async with async_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            await ordered(School(demo, browser))
            await browser.close()
    finally:
        demo.kill()


async def ordered(school: School) -> None:
    await crowded(school)
    _, teacher = await school.signed_in("teacher", "desk", DESK)
    await teacher.locator("[data-test=lessons-coming] [data-test=open-room]").first.click()
    await teacher.get_by_test_id("use-program").click()
    await teacher.get_by_test_id("start").click()
    await phase(teacher, "live")
    _, trainee = await school.signed_in(STEADY, "learn", PHONE)
    await enter(trainee)
    await silenced(school, teacher, trainee)
    await removed(school, teacher, trainee)
    await lobby(school, teacher)
    await at_a_glance(school, teacher)


class Modified:
    """A client of one's own: it is signed in and has its place, and keeps to nothing that a page keeps to."""

    def __init__(self, client: socketio.AsyncClient, lesson_id: str) -> None:
        self.client, self.lesson_id = client, lesson_id

    async def call(self, event: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, {"lesson_id": self.lesson_id, **more}, timeout=20)
        return answer

    async def lines(self) -> list[str]:
        """What everybody in the lesson sees of the chat."""
        return [
            line["text"] for line in (await self.call("lesson:since", seq=0))["changes"]["chat"] if line["id"] != "room"
        ]


@asynccontextmanager
async def modified(school: School, lesson_id: str) -> AsyncIterator[Modified]:
    """Signed in by the page's own form, then on its own."""
    context, _ = await school.signed_in(CLOSED, "learn", PHONE)
    cookies = "; ".join(f"{one.get('name')}={one.get('value')}" for one in await context.cookies())
    headers = {"Cookie": cookies, "Origin": school.service.url}
    async with aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        client.on("lease:probe", lambda _payload: True)
        await client.connect(school.service.url, headers=headers, transports=["websocket"])
        one = Modified(client, lesson_id)
        assert (await one.call("lesson:join", device="desktop", page="page-modified", resume=None, password=None))["ok"]
        yield one
        await client.disconnect()


async def silenced(school: School, teacher: Page, trainee: Page) -> None:
    """One key; the page says so, and who speaks past any page is refused by the server and heard by nobody."""
    async with modified(school, lesson_of(trainee)) as client:
        await teacher.get_by_test_id("switch-text").click()
        await trainee.get_by_test_id("order-notice").get_by_text("老师已关闭文字").wait_for()
        assert (await client.call("chat:say", text="我偏要说"))["code"] == "switched_off"
        await teacher.get_by_test_id("silence").click()
        await trainee.get_by_test_id("order-notice").get_by_text("全员静音中").wait_for()
        await teacher.get_by_test_id("silence-state").get_by_text("全员静音中").wait_for()
        assert await look(teacher, "the desk in silence") == []
        assert await look(trainee, "the trainee in silence") == []
        await school.picture(teacher, "order-silence", both=True)
        await school.picture(trainee, "order-silence-trainee", both=True)
        assert (await client.call("chat:say", text="我偏要说"))["code"] == "silenced"
        assert (await client.call("order:silence", on=False))["code"] == "forbidden"
        assert (await client.call("order:switch", what="text", on=True))["code"] == "forbidden"
        assert (await client.call("chat:say", text="我偏要说"))["code"] == "silenced"
        assert await client.lines() == []
        await teacher.get_by_test_id("silence").click()
        await teacher.get_by_test_id("switch-text").click()
        await trainee.locator("[data-test=order-notice]:empty").wait_for(state="attached")
        assert (await client.call("chat:say", text="现在可以了"))["ok"]  # the same client, once it may
        assert await client.lines() == ["现在可以了"]
        await quiet(school, teacher)


async def quiet(school: School, teacher: Page) -> None:
    """Of the two who are here one has said something: the other is the one to ask."""
    chip = teacher.get_by_test_id("filter-quiet")
    await chip.get_by_text("1", exact=True).wait_for()
    await chip.click()
    (row,) = await teacher.locator("[data-test^=strip-row-]").all()
    assert NAMES[STEADY] in await row.inner_text()
    await teacher.get_by_test_id("quiet-means").wait_for()
    assert await look(teacher, "who has not taken part") == []
    await school.picture(teacher, "attention-quiet", both=True)
    await teacher.get_by_test_id("filter-all").click()


def lesson_of(page: Page) -> str:
    """The lesson whose room a page shows."""
    found: str = re.findall(r"[0-9a-f]{16}", page.url)[-1]
    return found


async def removed(school: School, teacher: Page, trainee: Page) -> None:
    """Asked once, gone at once; back by itself when let back in."""
    row = teacher.locator("[data-test^=strip-row-]", has_text=NAMES[STEADY])
    await row.locator("[data-test^=manage-]").click()
    await school.picture(teacher, "order-person", both=True)
    await teacher.get_by_test_id("own-text-false").click()
    await trainee.get_by_test_id("order-notice").get_by_text("老师已关闭文字").wait_for(timeout=5_000)  # nobody asked
    await teacher.get_by_test_id("own-text-null").click()
    await trainee.locator("[data-test=order-notice]:empty").wait_for(state="attached", timeout=5_000)
    assert await look(teacher, "what one trainee may use") == []
    await teacher.get_by_test_id("remove").click()
    await school.picture(teacher, "order-remove-asked")
    await teacher.get_by_test_id("remove-confirm").click()
    await trainee.locator("[data-test=outside][data-where=removed]").wait_for()
    await school.picture(trainee, "order-removed-trainee", both=True)
    assert await look(trainee, "who was removed") == []
    await teacher.get_by_test_id("dialog-close").click()
    await teacher.get_by_test_id("removed-list").get_by_text(NAMES[STEADY]).first.wait_for()
    await trainee.reload()  # nor does a reload bring them in
    await trainee.locator("[data-test=outside][data-where=removed]").wait_for()
    await teacher.get_by_test_id("readmit").click()
    await trainee.locator("[data-test=room][data-stage=in]").wait_for()
    await teacher.get_by_test_id("removed-list").wait_for(state="detached")


async def lobby(school: School, teacher: Page) -> None:
    """Whoever comes waits, is seen, and comes in by itself once admitted; whoever was in before does not wait."""
    await teacher.get_by_test_id("lobby").click()
    await teacher.locator("[data-test=lobby][aria-checked=true]").wait_for()
    _, late = await school.signed_in(AWAY, "learn", PHONE)
    await late.get_by_test_id("enter-lesson").click()
    await late.locator("[data-test=outside][data-where=lobby]").wait_for()
    await school.picture(late, "order-lobby-trainee", both=True)
    assert await look(late, "who waits in the lobby") == []
    await teacher.get_by_test_id("lobby-list").get_by_text(NAMES[AWAY]).first.wait_for()
    await school.picture(teacher, "order-lobby", both=True)
    await teacher.get_by_test_id("admit").click()
    await late.locator("[data-test=room][data-stage=in]").wait_for()
    await teacher.get_by_test_id("lobby-list").wait_for(state="detached")
    await teacher.get_by_test_id("count-front").get_by_text("2", exact=True).wait_for()


async def crowded(school: School) -> None:
    """A class of two thousand: its roster is imported as an institution does it."""
    context, staff = await school.signed_in("staff", "desk", DESK)
    lessons = (await staff.evaluate(ASK, "/api/v1/lessons"))["lessons"]
    class_id = next(one["class_id"] for one in lessons if one["state"] == "planned")
    known = len((await staff.evaluate(ASK, f"/api/v1/classes/{class_id}/roster"))["trainees"])
    lines = [f"学员{serial}号,{id_number(serial)}" for serial in range(5_000, 5_000 + MANY - known)]
    for at in range(0, len(lines), IMPORTED):
        answer = await context.request.post(
            f"{school.service.url}/api/v1/classes/{class_id}/roster?filename=a.csv",
            headers={"Origin": school.service.url, "Content-Type": "application/octet-stream"},
            data="\n".join(["姓名,身份证号", *lines[at : at + IMPORTED]]).encode(),
            timeout=120_000,
        )
        assert answer.ok, await answer.text()
    await context.close()


async def many(teacher: Page) -> None:
    """Of two thousand rows those in sight are drawn, wherever the list stands; a push draws no others."""
    shown = teacher.get_by_test_id("attention-list")
    assert await shown.get_attribute("data-rows") == str(MANY)
    box = teacher.get_by_test_id("attention-box")
    for part in (0, 0.5, 1):
        await box.evaluate("(box, part) => { box.scrollTop = part * box.scrollHeight }", part)
        await teacher.wait_for_timeout(600)
        assert await box.locator("li").count() < MOST_DRAWN
    assert await teacher.get_by_test_id(f"strip-row-{MANY}").count() == 1
    await teacher.get_by_test_id(f"strip-row-{MANY}").locator("svg path:not(.plan)").first.wait_for(state="attached")
    assert await teacher.evaluate("document.querySelectorAll('*').length") < MOST_NODES
    await box.evaluate("box => { box.scrollTop = 0 }")


async def at_a_glance(school: School, teacher: Page) -> None:
    """Filters and search, by mouse and keyboard; on a phone as well."""
    await many(teacher)
    rows = teacher.locator("[data-test^=strip-row-]")
    everybody = MANY
    await teacher.get_by_test_id("filter-front").click()
    await teacher.locator("[data-test=attention-list][data-rows='2']").wait_for()
    await teacher.get_by_test_id("filter-uncounted").click()
    await teacher.locator(f"[data-test=attention-list][data-rows='{everybody - 2}']").wait_for()
    assert {await row.get_attribute("data-uncounted") for row in await rows.all()} == {"true"}
    await school.picture(teacher, "attention-uncounted", both=True)
    await teacher.get_by_test_id("filter-all").click()
    await teacher.get_by_test_id("roster-search").fill(NAMES[AWAY])
    await teacher.locator("[data-test=attention-list][data-rows='1']").wait_for()
    await rows.first.locator("svg path.credited").wait_for(state="attached")  # the strip came, and grew
    await teacher.get_by_test_id("roster-search").fill("没有这个人")
    await teacher.get_by_test_id("roster-nobody").wait_for()
    await teacher.get_by_test_id("roster-search").fill("")
    await teacher.locator(f"[data-test=attention-list][data-rows='{everybody}']").wait_for()
    await school.shape(teacher, PHONE)
    await teacher.locator(".attention-list.narrow").wait_for()
    await teacher.get_by_test_id("live-roster").scroll_into_view_if_needed()
    await school.picture(teacher, "attention-phone", both=True)
    assert await look(teacher, "the class on a phone") == []
