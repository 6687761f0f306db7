"""Decides what the six trainees of the demo lesson do, each through the same doors as everybody's page.

Seconds are counted from the start of the lesson, which lasts LESSON_S.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from server.demo.acting import speak
from server.demo.lines import LINES
from server.demo.page import Page, Refused
from server.demo.stage import LESSON_S, Part, Stage

ENTER_S: Final = 2
HIDE_S, SHOW_S = 45, 105
SECOND_DEVICE_S, TAKE_OVER_S = 30, 90
REPLAY_S, FORGE_S = 40, 100
CUT_S, BACK_S = 60, 100
LATE_S: Final = 70
#: everybody says once more where they were after the teacher has ended the lesson
LAST_S: Final = LESSON_S + 1

Script = Callable[[Stage, Part], Awaitable[None]]


async def steady(stage: Stage, part: Part) -> None:
    """Stays in front from beginning to end."""
    page = await _enter(stage, part, ENTER_S, "phone")
    await _stay(stage, part, page)


async def backgrounded(stage: Stage, part: Part) -> None:
    """Puts the page in the background for a minute."""
    page = await _enter(stage, part, ENTER_S, "phone")
    await _attend(stage, part, page, HIDE_S)
    page.hide()
    await page.beat()
    stage.say(part, "把页面切到后台一分钟")
    await _attend(stage, part, page, SHOW_S)
    page.show()
    stage.say(part, "把页面切回前台")
    await _stay(stage, part, page)


async def two_devices(stage: Stage, part: Part) -> None:
    """A second device is refused while the first attends, and takes over by password."""
    first = await _enter(stage, part, ENTER_S, "phone")
    await _attend(stage, part, first, SECOND_DEVICE_S)
    other = await stage.browser(part)
    try:
        second = stage.page(other, "desktop")
        try:
            await second.join()
        except Refused as refused:
            stage.say(part, f"在第二台设备上进入课堂，被拒绝：{refused.code}")
        await second.drop()
        await _attend(stage, part, first, TAKE_OVER_S)
        await second.join(password=part.password)
        stage.say(part, "在第二台设备上输入密码，接管课堂")
        try:
            await first.beat()
        except Refused as refused:
            stage.say(part, f"第一台设备的在线检测不再被接受：{refused.code}")
        await first.drop()
        await first.login.close()
        await _stay(stage, part, second)
    finally:
        await other.close()


async def replayed(stage: Stage, part: Part) -> None:
    """Sends old beats again, and a beat that promises more than it was told to."""
    page = await _enter(stage, part, ENTER_S, "tablet")
    await _attend(stage, part, page, REPLAY_S)
    old, before = page.sent, page.credit_ms
    again = await page.say(old)
    stage.say(part, f"重发同一次在线检测，回答相同（序号 {again['seq']}），学时不变：{again['credit_ms'] >= before}")
    await _attend(stage, part, page, FORGE_S)
    try:
        await page.say(old)
    except Refused as refused:
        stage.say(part, f"重发更早的在线检测，被拒绝：{refused.code}")
    await _stay(stage, part, page)


async def outage(stage: Stage, part: Part) -> None:
    """Loses the network for forty seconds and comes back as the same page: nothing is lost."""
    page = await _enter(stage, part, ENTER_S, "phone")
    await _attend(stage, part, page, CUT_S)
    await page.drop()
    stage.say(part, "网络断开四十秒")
    await stage.until(BACK_S)
    await page.join()
    await page.beat()
    stage.say(part, f"同一页面回到课堂，断网期间在前台的时间一并补上：已记录 {page.credit_ms / 1000:.0f} 秒")
    await _stay(stage, part, page)


async def late(stage: Stage, part: Part) -> None:
    """Comes when the lesson has been running for a while."""
    page = await _enter(stage, part, LATE_S, "desktop")
    await _stay(stage, part, page)


SCRIPTS: Final[Mapping[str, Script]] = {
    script.__name__: script for script in (steady, backgrounded, two_devices, replayed, outage, late)
}


async def _enter(stage: Stage, part: Part, second: float, device: str) -> Page:
    login = await stage.browser(part)
    page = stage.page(login, device)
    await stage.until(second)
    await page.join()
    stage.say(part, "进入课堂")
    return page


async def _attend(stage: Stage, part: Part, page: Page, second: float) -> None:
    """Be there until then, and do in between what is due of one's lines."""

    async def meanwhile() -> None:
        if page.talk is not None:
            await speak(LINES[part.script], stage, part, page.login, page.talk)

    await stage.attend(page, second, meanwhile)


async def _stay(stage: Stage, part: Part, page: Page) -> None:
    """To the end, and a proper goodbye."""
    await _attend(stage, part, page, LAST_S)
    stage.say(part, f"下课，已记录 {page.credit_ms / 1000:.1f} 秒")
    await page.leave()
    await page.login.close()
