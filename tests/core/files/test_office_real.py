"""The real LibreOffice, which the set-up for `make long` installs: a Chinese presentation goes through the product's
own door and comes out as pages; what a presentation names elsewhere, on this machine or the net, is not in them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from server.core.files import office
from tests.core.files.documents import office as parts
from tests.core.files.documents import picture
from tests.core.files.presentation import presentation
from tests.core.files.waiting import until
from tests.live.files.test_service import give, got
from tests.school import School, school

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]
SAID = ("协助老年人进食", "骨折后直接送医")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as opened:
        yield opened


async def test_a_chinese_presentation_is_shown_page_by_page(served: School) -> None:
    assert office.installed(), "make long installs it"
    given = await give(served, "teacher", presentation(SAID), name="第一课.pptx")
    assert (given["kind"], given["name"]) == ("pptx", "第一课.pptx")
    async with asyncio.timeout(300):
        while (shown := await deck(served))["made"] != len(SAID):
            assert shown["trouble"] is None
            await asyncio.sleep(0.2)
    assert (shown["name"], shown["sizes"]) == ("第一课.pdf", [[9600, 5400], [9600, 5400]])
    for number, said in enumerate(SAID, 1):
        path = f"slides/{shown['file_id']}/{number}"
        assert said in (await got(served, "teacher", path))[1].decode()
        status, drawn, _ = await got(served, "teacher", f"{path}/960.webp")
        assert (status, drawn[:4]) == (200, b"RIFF")
    _, pdf, _ = await got(served, "teacher", f"files/{shown['file_id']}")
    assert b"CJK" in pdf, "drawn in a font that has Chinese, although the one it asks for is not here"


async def deck(served: School) -> dict[str, object]:
    shown: dict[str, object] = json.loads((await got(served, "teacher", "slides"))[1])["decks"][0]
    return shown


async def test_what_it_names_elsewhere_is_not_in_it(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=picture(), content_type="image/png")

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        (tmp_path / "own.png").write_bytes(picture())
        links = (f"http://127.0.0.1:{port}/far.png", f"http://localhost:{port}/near.png", f"file://{tmp_path}/own.png")
        (tmp_path / "a.pptx").write_bytes(presentation(SAID[:1], *links))
        (tmp_path / "out").mkdir()
        made = await office.convert(tmp_path / "a.pptx", tmp_path / "out")
    finally:
        await runner.cleanup()
    assert asked == []
    assert b"/Subtype/Image" not in made.read_bytes()


async def test_what_only_looks_like_a_presentation_is_damaged(served: School) -> None:
    await give(served, "teacher", parts("pptx"), name="坏.pptx")  # said by LibreOffice, not by our patience

    async def said() -> bool:
        return (await deck(served))["trouble"] == "slides_damaged"

    await until(said)
