"""三分钟演示课 as a visitor meets it: one at a time, with a guest's account, and gone with the server."""

import asyncio
import stat
from pathlib import Path

import psutil
import pytest

from server import demo as demonstration
from server.demo.lesson import ACTORS, ACTORS_STEP, FOLDER, GUESTS
from server.demo.page import Page, Refused, browser, sign_in
from server.demo.scripts import SCRIPTS
from server.serve import running
from tests.demo.conftest import Served, demo_config

SECONDS = 20


async def start(served: Served) -> dict[str, object]:
    visitor = browser(served.url)
    try:
        return await visitor.post("/api/v1/demo/lesson")
    finally:
        await visitor.close()


async def until_live(served: Served, lesson_id: str) -> None:
    async with asyncio.timeout(SECONDS):
        while (await served.house.training.lesson(lesson_id)).state != "live":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def actors() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [one for one in children if "server.demo.players" in " ".join(one.cmdline())]


async def test_a_visitor_joins_as_a_guest_while_the_actors_play(served: Served) -> None:
    begun = await start(served)
    (process,) = actors()
    assert served.account("teacher").password not in " ".join(process.cmdline())
    lesson_id = str(begun["lesson_id"])
    with pytest.raises(Refused) as refused:
        await start(served)
    assert (refused.value.code, refused.value.data) == ("demo_running", {"lesson_id": lesson_id})
    await until_live(served, lesson_id)
    guest = begun["guest"]
    assert isinstance(guest, dict)
    login = await sign_in(served.url, guest["login"], guest["password"])
    page = Page(login, lesson_id, "desktop", lambda: asyncio.get_running_loop().time() * 1000)
    joined = await page.join()
    assert joined["phase"]["state"] == "live"
    await asyncio.sleep(0.5)
    assert (await page.beat())["credit_ms"] >= 500
    page.hide()
    await asyncio.sleep(0.5)
    cell = (await page.beat())["cells"][-1]
    lost = [reason["code"] for reason in cell["reasons"] if reason["ms"] >= 500]
    assert [code for code in lost if code != "absent"] == ["hidden"], "signing in may have taken half a second as well"
    await page.leave()
    await login.close()


async def test_when_the_actors_are_gone_the_next_lesson_may_begin(served: Served) -> None:
    first = await start(served)
    (process,) = actors()
    process.kill()
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                second = await start(served)
                break
            except Refused:
                await asyncio.sleep(0.05)
    assert second["lesson_id"] != first["lesson_id"]
    assert second["guest"] != first["guest"]
    transcripts = served.folder / FOLDER
    assert stat.S_IMODE(transcripts.stat().st_mode) == 0o700


async def test_the_actors_end_with_the_server(tmp_path: Path) -> None:
    async with running(demo_config(tmp_path), demo=True) as (house, url):
        await demonstration.prepare(house, tmp_path)
        await start(Served(house, url, tmp_path))
        (process,) = actors()
    assert not process.is_running()


async def test_without_the_demo_there_is_no_such_lesson(tmp_path: Path) -> None:
    async with running(demo_config(tmp_path), demo=False) as (house, url):
        with pytest.raises(Refused) as refused:
            await start(Served(house, url, tmp_path))
    assert refused.value.code == "not_found"


def test_every_actor_takes_every_part_before_one_comes_again() -> None:
    """An account may take over from another device three times an hour; twenty lessons fit into one."""
    for part in range(len(SCRIPTS)):
        assert len({(number * ACTORS_STEP + part) % len(ACTORS) for number in range(len(ACTORS))}) == len(ACTORS)
    assert not set(ACTORS) & set(GUESTS)


async def test_a_visitor_who_took_the_guest_s_password_is_out_when_it_is_restored(served: Served) -> None:
    account = served.account("teacher")
    honest = await sign_in(served.url, account.login, account.password)
    await served.lessons._restore_password(account)
    assert (await honest.get("/api/v1/me"))["me"]["login"] == account.login  # nothing was changed: nobody is disturbed
    taker = await sign_in(served.url, account.login, account.password)
    await taker.post("/api/v1/me/password", {"old": account.password, "new": "mine, all mine"})
    await served.lessons._restore_password(account)
    assert (await taker.get("/api/v1/me"))["me"] is None
    back = await sign_in(served.url, account.login, account.password)
    for login in (honest, taker, back):
        await login.close()
