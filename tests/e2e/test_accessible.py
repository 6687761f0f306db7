"""axe-core looks at every page, light and dark, on the phone and at the desk, and finds nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.axe import look
from tests.e2e.pictures import PHONE
from tests.e2e.site import Round, Site, opened

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def site(tmp_path: Path, chromium: str | None) -> AsyncIterator[Site]:
    async with opened(tmp_path, chromium) as found:
        yield found


async def walk(site: Site, one: Round) -> list[dict[str, Any]]:
    """Look at each of these pages as this person."""
    page = await site.open(one.login, one.entry, one.size)
    found = []
    for number, path in enumerate(one.paths):
        await page.goto(f"{site.service.url}/{one.entry}.html?{number}#{path}")
        await page.wait_for_load_state("networkidle")
        found += await look(page, f"{one.login} {one.entry} {path}")
    await page.context.close()
    return found


async def test_axe_finds_nothing(site: Site) -> None:
    found = []
    for one in await site.rounds():
        found += await walk(site, one)
    assert found == []


async def test_axe_would_find_something(site: Site) -> None:
    page = await site.open("", "learn", PHONE)
    await page.evaluate("document.body.append(new Image())")
    assert {"image-alt"} <= {one["rule"] for one in await look(page, "a page with a mute picture")}
