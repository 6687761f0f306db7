"""A bad line in a real Chromium: what is lost comes again in time; an address that changes costs a moment, no click."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.media_page import through
from tests.e2e.test_media import Studio, received, studio
from tests.e2e.test_parts import player, watching
from tests.media.relay import Delay, Relay, jittery, some

__all__ = ["player", "studio"]

LOSS = 0.03
JITTER_S = 0.3
#: the page has found out that pictures must be held back here
HELD = "() => pc.getReceivers().every(each => each.jitterBufferTarget >= 400)"
#: the share of the time that one may stand still longer than a picture on a good line in the same browser
FROZEN = {0: 0.05, JITTER_S: 0.2}
MOVED_S = 8


@asynccontextmanager
async def relayed(studio: Studio, delay: Delay | None = None) -> AsyncIterator[Relay]:
    relay = Relay(("127.0.0.1", studio.media.port), some(LOSS), delay)
    await relay.start()
    try:
        yield relay
    finally:
        relay.close()


async def seen(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = (await received(page)).get("video", {"frames": 0})
    return found


async def meanwhile(pages: list[Page], seconds: float) -> list[Callable[[str], float]]:
    """What grew by how much in each page."""
    before = [await seen(page) for page in pages]
    await asyncio.sleep(seconds)
    after = [await seen(page) for page in pages]
    return [_grown(a, b) for a, b in zip(after, before, strict=True)]


def _grown(after: dict[str, Any], before: dict[str, Any]) -> Callable[[str], float]:
    return lambda name: float(after.get(name, 0) - before.get(name, 0))


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("seconds", "jitter_s"),
    [(15, 0), *(pytest.param(60, jitter_s, marks=pytest.mark.long) for jitter_s in (0, JITTER_S))],
)
async def test_three_in_a_hundred_lost_freeze_no_picture(
    studio: Studio, player: str, seconds: int, jitter_s: float
) -> None:
    await studio.publish(canvas=True)
    async with relayed(studio, jittery(jitter_s) if jitter_s else None) as relay:
        bad = await watching(studio, player, through(relay.port))
        good, _ = await studio.watch("neighbour")
        if jitter_s:
            await bad.wait_for_function(HELD, polling=200, timeout=60_000)
        lost = relay.lost
        of_bad, of_good = await meanwhile([bad, good], seconds)
        frozen = of_bad("frozen") - of_good("frozen")
        print(f"{frozen:.2f} s frozen in {seconds} s at 3 % loss, {jitter_s} s jitter")
        assert relay.lost - lost > seconds
        assert of_bad("nack") > seconds / 5
        assert of_bad("frames") > of_good("frames") * 0.9
        assert frozen < FROZEN[jitter_s] * seconds
    assert await bad.evaluate("ways") == ["peer"]


async def test_an_address_that_changes_costs_a_moment(studio: Studio, player: str) -> None:
    await studio.publish(canvas=True)
    async with relayed(studio) as relay:
        page = await watching(studio, player, through(relay.port))
        loop = asyncio.get_running_loop()
        for _ in range(2):
            relay.move()
            frames, moved = (await seen(page))["frames"], loop.time()
            async with asyncio.timeout(MOVED_S):
                while (await seen(page))["frames"] < frames + 30:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            print(f"{loop.time() - moved:.1f} s until a second of pictures by another address")
    assert await page.evaluate("ways") == ["peer"]
    assert [event.peer for event in studio.events if event.kind == "viewer_live"] == ["trainee"], "the same session"
