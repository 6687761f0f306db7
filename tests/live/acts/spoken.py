"""What a page knows of a lesson's acts, from what it was told: the newest view of each thing."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.school import Page

Known = dict[str, dict[str, Any]]


def known(page: Page, activity: str) -> Known:
    """By id, as the pushes say."""
    return {view["id"]: view for news in page.heard("lesson:acts") for view in news["changes"][activity]}


async def until(page: Page, activity: str, so: Callable[[Known], bool]) -> Known:
    """Wait until what the page was told is so."""
    async with asyncio.timeout(5):
        while True:
            found = known(page, activity)
            try:
                if so(found):
                    return found
            except KeyError:
                pass
            await asyncio.sleep(0.02)
