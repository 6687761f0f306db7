"""A trainee's page in a lesson whose scheme asks for attention: another window has the focus; then nobody moves."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from tests.attendance.test_views import _seal
from tests.e2e.axe import look
from tests.e2e.pictures import picture
from tests.e2e.test_challenged_room import LEAP_MS, Phone, phone
from tests.school import School

pytestmark = pytest.mark.timeout(240)

SCHEME: Final = {"class_hour_ms": 60_000, "window_blur": "not_counted", "idle_ms": 60_000}


class Window(Phone):
    """jia's page, which may lose the focus while it is in front."""

    async def lost(self, ms: int, why: str) -> None:
        """So much time passes and brings nothing: the strip's legend names the reason at once."""
        before = await self.credit_ms()
        self.served.clock.advance(ms)
        await self.page.evaluate("ms => { ahead += ms }", ms)
        await self.page.locator("[data-test=strip-legend]").filter(has_text=why).wait_for()
        assert await self.credit_ms() == before

    async def quiet(self, state: str) -> str:
        await self.page.locator(f"[data-test=quiet][data-quiet={state}]").wait_for()
        return await self.says("quiet")


async def in_another_window(jia: Window) -> None:
    """The window loses the focus and stays in front."""
    await jia.leap()
    other = await jia.page.context.new_page()
    await other.goto("about:blank")
    truly = await jia.page.context.new_cdp_session(jia.page)
    await truly.send("Emulation.setFocusEmulationEnabled", {"enabled": False})  # else every page has the focus
    await other.bring_to_front()
    assert "窗口失去焦点" in await jia.quiet("blurred_now")
    assert await jia.page.evaluate("document.visibilityState") == "visible"
    await jia.lost(LEAP_MS, "窗口失焦")
    await jia.page.bring_to_front()
    assert await jia.quiet("hidden_before") == "本分钟有 10 秒 未计：窗口失焦"
    await picture(jia.page, "attention-blurred-phone", both=True)
    assert await look(jia.page, "without focus") == []
    await other.close()


async def without_moving(jia: Window) -> None:
    """A minute without a hand: half a minute before it begins to cost the page warns."""
    await jia.page.mouse.click(1, 1)
    for _ in range(3):
        await jia.leap()
    assert "请点一下本页面" in await jia.quiet("idle_soon")
    await picture(jia.page, "attention-idle-soon-phone", both=True)
    for _ in range(3):
        await jia.leap()
    await jia.lost(LEAP_MS, "空闲超时")
    assert "太久没有操作" in await jia.quiet("idle_now")
    await picture(jia.page, "attention-idle-phone", both=True)
    await jia.page.keyboard.press("Shift")
    await jia.page.locator("[data-test=quiet]:not([data-quiet=idle_now])").wait_for()
    await jia.leap()


async def afterwards(page: Page, served: School) -> str:
    """What the trainee's card says once all is sealed."""
    async with served.page("teacher") as teacher:
        await teacher.join()
        assert (await teacher.call("lesson:end"))["ok"]
    served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
    await _seal(served)
    await page.goto(f"{served.url}/learn.html?again#/lesson/{served.lesson_id}/record")
    return await page.get_by_test_id("card-totals").inner_text()


async def test_what_is_not_counted_is_said_at_once_and_how_to_go_on(tmp_path: Path, chromium: str | None) -> None:
    async with phone(tmp_path, chromium, SCHEME) as (opened, served):
        jia = Window(served, opened.page)
        assert await jia.says("room-asks") == "窗口失去焦点的时间不计，连续 1 分钟没有任何操作，此后不计"
        await in_another_window(jia)
        await without_moving(jia)
        said = await afterwards(jia.page, served)
        assert said.startswith("已记录 1 分")
        assert "窗口失焦 10 秒" in said
        assert "空闲超时" in said
