"""Very many in one lesson over two servers (2,000 in `make long`), PostgreSQL, Redis and a media worker; the lesson's
owner is killed in the middle. Nobody loses a line, an answer or a millisecond that was acknowledged.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.cluster.town import Server, Town
from tests.crowds.doing import LINES, PER_SECOND, Costs, beating, chat, check_all_know, mono, poll, storm
from tests.crowds.room import AT_ONCE, Page, Room, Told, connect, each, fill_room
from tests.crowds.steady import Steady, Way
from tests.school import School

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(params=[500, pytest.param(2_000, marks=pytest.mark.long)])
async def made(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: str, redis_server: str
) -> AsyncIterator[tuple[Town, Room]]:
    town, rooms = Town(tmp_path, postgres, redis_server), []

    async def furnish(school: School) -> None:
        rooms.append(await fill_room(school, request.param))

    await town.prepare(furnish)
    try:
        await asyncio.to_thread(town.start, "a", "b")
        yield town, rooms[0]
    finally:
        town.close()


async def arrive(town: Town, room: Room, told: Told) -> list[Steady]:
    """Half at each server, some at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(at: int, token: str) -> Steady:
        async with gate:
            urls = [server.url for server in town.servers.values()]
            way = Way([*urls[at % 2 :], *urls[: at % 2]], town.public, told)
            line = await connect(way.urls[0], token, told, town.public)
            return Steady(line, room.lesson_id, way=way, token=token)

    return list(await asyncio.gather(*(one(at, token) for at, token in enumerate(room.tokens))))


async def killed(town: Town, room: Room, pages: Sequence[Steady]) -> float:
    """The owner, in the middle of the chat; after how many seconds everybody had joined again or beaten."""
    owner = town.servers[await town.owner(room.lesson_id)]
    await asyncio.sleep(LINES / PER_SECOND / 2)
    owner.signal(signal.SIGKILL)
    begun = time.monotonic()
    await each(list(pages), lambda page: page.beat(mono()))
    took = time.monotonic() - begun
    await asyncio.to_thread(owner.kill)
    return took


async def earned(server: Server, room: Room, origin: str) -> dict[str, int]:
    """What a server says that everybody has, by id."""
    cookies = {"keshi_session": room.teacher}
    async with (
        aiohttp.ClientSession(headers={"Origin": origin}, cookies=cookies) as session,
        session.get(f"{server.url}/api/v1/lessons/{room.lesson_id}/strips") as answer,
    ):
        assert answer.status == 200, await answer.text()
        return {row["person_id"]: row["totals"]["credit_ms"] for row in (await answer.json())["rows"]}


async def test_nothing_is_lost_when_the_owner_of_a_full_room_is_killed(made: tuple[Town, Room]) -> None:
    town, room = made
    told = Told()
    (teacher,) = await arrive(town, Room(room.lesson_id, "", [room.teacher], []), Told())
    await teacher.call("lesson:join", device="desktop", page="a-teacher")
    assert (await teacher.call("lesson:start"))["ok"]
    processes = [one.process for one in (*town.servers.values(), town.worker)]
    costs = Costs(*(one.pid for one in processes if one is not None))
    pages = await arrive(town, room, told)
    costs.tell(f"\n{len(pages)} connected (servers, worker)", [page.line for page in pages])
    await storm(pages)
    costs.tell("joined", [page.line for page in pages])
    blow = asyncio.create_task(killed(town, room, pages))
    assert await chat(pages) == LINES
    back_s = await blow
    assert (await teacher.call("lesson:join", device="desktop", page="a-teacher"))["ok"]
    costs.tell("chat, the owner killed in the middle", [page.line for page in pages])
    print(f"everybody had beaten {back_s:.1f} s after the kill; {sum(page.lost for page in pages)} sockets were lost")
    beats = asyncio.create_task(beating(pages))
    try:
        assert await poll(teacher, pages) == len(pages)
        costs.tell("poll", [page.line for page in pages])
        assert not beats.done(), beats.exception()
    finally:
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)
    await each(list(pages), lambda page: page.beat(mono()), AT_ONCE)  # what was cut off is asked for again
    await check_all_know(pages, told, Page(pages[0].line, room.lesson_id))
    (living,) = [one for one in town.servers.values() if one.process is not None and one.process.poll() is None]
    assert await earned(living, room, town.public) == {
        person_id: page.credit_ms for person_id, page in zip(room.ids, pages, strict=True)
    } | dict.fromkeys((town.ids["jia"], town.ids["yi"]), 0)
