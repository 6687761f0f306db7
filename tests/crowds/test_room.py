"""Very many in one lesson (2,000 in `make long`): they storm in, chat, answer a poll, beat; nothing is lost.

How long answers take is printed, docs/long.md keeps it: machines are noisy, so no test fails by it.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.crowds.doing import LINES, Costs, beating, chat, check_all_know, poll, storm
from tests.crowds.room import Page, Room, Told, arrive, furnish
from tests.e2e.service import Service

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=[500, pytest.param(2_000, marks=pytest.mark.long)])
async def made(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Service, Room]]:
    (tmp_path / "config.yaml").write_text("media:\n  udp_port: 0\n")
    service = Service(tmp_path)
    room = await furnish(service, request.param)
    service.start()
    yield service, room
    service.kill()


async def test_a_full_room_loses_nothing(made: tuple[Service, Room]) -> None:
    service, room = made
    assert service.process is not None
    told, costs = Told(), Costs(service.process.pid)
    (teacher,) = await arrive(service.url, Room(room.lesson_id, "", [room.teacher], []), Told())
    await teacher.call("lesson:join", device="desktop", page="a-teacher")
    assert (await teacher.call("lesson:start"))["ok"]
    pages = await arrive(service.url, room, told)
    lines = [page.line for page in pages]
    costs.tell(f"\n{len(pages)} connected", lines)
    await storm(pages)
    costs.tell("joined", lines)
    beats = asyncio.create_task(beating(pages))
    try:
        assert await chat(pages) == LINES
        costs.tell("chat", lines)
        assert await poll(teacher, pages) == len(pages)
        await asyncio.sleep(2)
        costs.tell("poll", lines)
        assert not beats.done(), beats.exception()
    finally:
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)
    assert [line.closed for line in lines].count(True) == 0
    await check_all_know(pages, told, Page(pages[0].line, room.lesson_id))
