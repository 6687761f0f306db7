"""A real Chromium publishes, others watch: the picture moves, at once, and soon after it was drawn."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from media import clock
from media.api import Grant, Kind, Media, MediaEvent, MediaSettings, build
from tests.e2e.media_page import PAGE

FLAGS = [
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
]
FIRST_FRAME_MS = 1_000
DELAY_MS = 1_000


@dataclass
class Studio:
    """A plane with an open room, a page for it, and a browser to open that page in."""

    media: Media
    base: str
    new_page: Callable[[], Any]
    events: list[MediaEvent]

    def token(self, kind: Kind, peer: str) -> str:
        now = clock.unix()
        return self.media.token(Grant("lesson", peer, kind, now, now + 60))

    async def page(self) -> Page:
        page: Page = await self.new_page()
        await page.goto(self.base)
        return page

    async def publish(self, **options: object) -> Page:
        page = await self.page()
        arguments = ["/media/whip/lesson", self.token("publish", "teacher"), options]
        await page.evaluate("([path, token, options]) => publish(path, token, options)", arguments)
        async with asyncio.timeout(10):
            while not self.media.stats("lesson").publisher_live:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return page

    async def watch(self, peer: str) -> tuple[Page, float]:
        """A viewer's page and the milliseconds to its first picture."""
        page = await self.page()
        arguments = ["/media/whep/lesson", self.token("watch", peer)]
        return page, await page.evaluate("([path, token]) => watch(path, token)", arguments)


@pytest.fixture
async def studio(chromium: str | None) -> AsyncIterator[Studio]:
    async with open_studio(chromium) as opened:
        yield opened


@asynccontextmanager
async def open_studio(
    chromium: str | None, recordings: Path | None = None, add: Callable[[web.Application], None] = lambda _: None
) -> AsyncIterator[Studio]:
    """A plane, its page and a browser, until the end; with what else `add` serves."""
    events: list[MediaEvent] = []
    settings = MediaSettings(tcp_port=0, recordings=recordings)
    media = build(settings, b"a key for tests only, thirty-two", events.append)
    await media.start()
    await media.open_room("lesson")
    app = web.Application()
    media.routes(app)
    add(app)
    app.router.add_get("/", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = await browser.new_context()
        yield Studio(media, f"http://127.0.0.1:{runner.addresses[0][1]}/", context.new_page, events)
        await browser.close()
    await media.stop()
    await runner.cleanup()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def received(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("received()")
    return found


async def keeps_moving(page: Page) -> None:
    """The picture and the voice go on for a second."""
    before = await received(page)
    await asyncio.sleep(1)
    after = await received(page)
    assert after["video"]["frames"] > before["video"]["frames"] + 5
    assert after["audio"]["packets"] > before["audio"]["packets"] + 20


async def test_a_lesson_is_seen_at_once_and_without_delay(studio: Studio) -> None:
    teacher = await studio.publish(canvas=True)
    early, first = await studio.watch("early")
    assert first < FIRST_FRAME_MS
    await keeps_moving(early)
    await asyncio.sleep(4)  # the keyframe is long ago
    late, first = await studio.watch("late")
    assert first < FIRST_FRAME_MS
    for page in (early, late):
        await keeps_moving(page)
        delays = sorted([await page.evaluate("delay()") for _ in range(5)])
        assert 0 <= delays[2] < DELAY_MS
    sent = await teacher.evaluate("sent()")
    assert sent["video"]["target"] > 500_000
    assert studio.media.stats("lesson").video_codec == "H264"


async def test_a_reload_of_the_teacher_goes_on_in_the_same_page(studio: Studio) -> None:
    teacher = await studio.publish()
    viewer, _ = await studio.watch("trainee")
    await teacher.close()
    await studio.publish()
    await asyncio.sleep(1)
    await keeps_moving(viewer)
    kinds = [event.kind for event in studio.events if event.peer == "teacher"]
    assert kinds == ["publisher_live", "publisher_gone", "publisher_live"]


@pytest.mark.parametrize(
    ("options", "kind", "codec"),
    [
        ({"mime": "video/VP8"}, "video", "VP8"),
        ({"kinds": ["video"]}, "video", "H264"),
        ({"kinds": ["audio"]}, "audio", ""),
    ],
)
async def test_other_publishers_are_forwarded_too(
    studio: Studio, options: dict[str, object], kind: str, codec: str
) -> None:
    await studio.publish(**options)
    viewer = await studio.page()
    path, token = "/media/whep/lesson", studio.token("watch", "trainee")
    await viewer.evaluate("([path, token]) => { watch(path, token) }", [path, token])
    enough = "kind => received().then(found => found[kind]?.packets >= 30)"
    await viewer.wait_for_function(enough, arg=kind, polling=100, timeout=10_000)
    assert studio.media.stats("lesson").video_codec == codec


async def test_a_screen_comes_beside_a_small_camera_and_goes_without_a_new_offer(studio: Studio) -> None:
    teacher = await studio.publish(slots=True)
    viewer = await studio.page()
    arguments = ["/media/whep/lesson", studio.token("watch", "trainee"), ["audio", "video", "video"]]
    await viewer.evaluate("([path, token, kinds]) => watch(path, token, kinds)", arguments)
    await until(viewer, "found => found[1]?.width === 1280 && !found[2]?.frames")
    for _ in range(2):
        await teacher.evaluate("share()")
        await until(viewer, "found => found[2]?.frames > 20 && found[2].width === 640 && found[1].width === 640")
        found = await viewer.evaluate("places()")  # while it is shared: Chromium forgets a picture that has ended
        assert [found[mid]["lost"] for mid in "012"] == [0, 0, 0]
        await teacher.evaluate("unshare()")
        await until(viewer, "found => found[1]?.width === 1280")
    late = await studio.page()
    await teacher.evaluate("share()")
    await until(viewer, "found => found[1]?.width === 640")
    await late.evaluate(
        "([path, token, kinds]) => watch(path, token, kinds)",
        [*arguments[:1], studio.token("watch", "late"), arguments[2]],
    )
    await until(late, "found => found[1]?.width === 640 && found[2]?.frames > 5")


async def until(page: Page, holds: str) -> None:
    """Wait until something holds of the pictures that a page gets."""
    for _ in range(400):  # `wait_for_function` would take the promise itself for a yes
        if await page.evaluate(f"() => places().then({holds})"):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"never: {holds}")


async def test_where_udp_is_blocked_a_lesson_runs_by_tcp(studio: Studio) -> None:
    teacher = await studio.page()
    await teacher.evaluate("window.udpBlocked = true")
    path, token = "/media/whip/lesson", studio.token("publish", "teacher")
    await teacher.evaluate("([path, token]) => publish(path, token)", [path, token])
    viewer = await studio.page()
    await viewer.evaluate("window.udpBlocked = true")
    path, token = "/media/whep/lesson", studio.token("watch", "trainee")
    await viewer.evaluate("([path, token]) => watch(path, token)", [path, token])
    await keeps_moving(viewer)
    assert [await page.evaluate("way()") for page in (teacher, viewer)] == ["tcp", "tcp"]
    await viewer.evaluate("leave()")
    assert studio.media.stats("lesson").viewers == ()


async def test_who_leaves_is_gone(studio: Studio) -> None:
    await studio.publish()
    viewer, _ = await studio.watch("trainee")
    await viewer.evaluate("leave()")
    assert studio.media.stats("lesson").viewers == ()
    assert [event.kind for event in studio.events] == ["publisher_live", "viewer_live", "viewer_gone"]
