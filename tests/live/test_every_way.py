"""Trainees of one lesson who watch by every way there is earn the same: minutes come from beats, never from media."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from media.witness import HLS, PARTS, WEBRTC
from server.accounts.people import NewPerson
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.core.actor import Role
from tests.live.test_media_worker import until
from tests.live.test_service import Beating
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets, publish
from tests.media.ways import Watching, Way
from tests.school import NOON_MS, PASSWORD, Page, School, school

BEAT_MS, BEATS = 10_000, 12
SLOT = NOON_MS // MINUTE_MS
#: nobody is in front during these beats
HIDDEN = (5, 6)
WAYS: dict[str, tuple[Way, int]] = {
    "jia": ("peer", WEBRTC),
    "yi": ("parts", PARTS),
    "stranger": ("hls", HLS),
    "bing": ("voice", PARTS),
}


async def test_whoever_watches_by_whatever_way_earns_the_same(tmp_path: Path) -> None:
    async with school(tmp_path) as served, AsyncExitStack() as ending:
        await _more(served)
        teacher = await ending.enter_async_context(served.page("teacher"))
        access = (await teacher.join())["media"]
        assert (await teacher.call("lesson:start"))["ok"]
        sent = EncodedVideo(h264_pictures(30, size=(160, 120)), 30), EncodedAudio(opus_packets(50))
        camera = await publish(teacher.session, served.url, access["room"], access["token"], *sent)
        watching, beating = {}, {}
        for who in WAYS:
            page = await ending.enter_async_context(served.page(who))
            lease = (await page.join(mono=0))["lease"]
            beating[who] = Beating(page, served.clock, lease)
            watching[who] = Watching(page.session, WAYS[who][0], served.url, served.lesson_id, _token(page))
        staying = [asyncio.ensure_future(each.stay()) for each in watching.values()]
        for number in range(BEATS):
            if number % 6 == 0:
                await _all_seen(served, watching)
            served.clock.advance(BEAT_MS)
            now = served.clock.ms() - NOON_MS
            for each in beating.values():
                await each.say([] if number in HIDDEN else [[now - BEAT_MS, now]])
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)
        await camera.close()
        await teacher.call("lesson:end")
        await _told(served)
        await _sealed(served)
        rows = await _rows(served)
    ids = {served.ids[who]: who for who in WAYS}
    shown = {ids[row["person_id"]]: row for row in rows}
    for who, (_, tier) in WAYS.items():
        assert [_plain(cell) for cell in shown[who]["cells"]] == [_plain(cell) for cell in shown["jia"]["cells"]], who
        assert shown[who]["totals"] == shown["jia"]["totals"]
        ways = [served.house.media.deliveries.seen(served.lesson_id, served.ids[who], SLOT + n).tier for n in (0, 1)]
        assert ways == [tier, tier], who
    assert shown["jia"]["totals"]["credit_ms"] == (BEATS - len(HIDDEN)) * BEAT_MS
    assert [cell["credit_ms"] for cell in shown["jia"]["cells"]] == [50_000, 50_000]


async def _more(served: School) -> None:
    """Two trainees more in the class: jia and yi are in it."""
    house = served.house
    place, number = served.ids["school"], "110101199003078830"
    new = NewPerson(role=Role.TRAINEE, name="名丙", login="bing", institution_id=place, id_number=number)
    made = await house.accounts.create_person(new)
    await house.accounts.set_password(made.id, PASSWORD)
    served.ids["bing"] = made.id
    await house.training.enrol_all(served.class_id, [served.ids["stranger"], made.id])


def _token(page: Page) -> Any:
    async def token() -> str:
        return str((await page.call("lesson:media"))["media"]["token"])

    return token


async def _all_seen(served: School, watching: dict[str, Watching]) -> None:
    """Something more reached each of them, and media have looked since."""
    plane = served.media._plane
    before = {each.peer: each.total for each in plane.watching()}

    def more() -> bool:
        now = [each for each in plane.watching() if each.total > before.get(each.peer, 0)]
        return len(now) == len(WAYS) and all(each.arrived for each in watching.values())

    await until(more)
    looked = plane._looked_at
    await until(lambda: plane._looked_at > looked)


async def _told(served: School) -> None:
    """Media have told of both minutes."""
    told = served.house.media.deliveries._told
    await until(lambda: {slot for _, slot in told} >= {SLOT, SLOT + 1})


async def _sealed(served: School) -> None:
    served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
    (seal,) = (job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.seal")
    await seal()


async def _rows(served: School) -> list[dict[str, Any]]:
    async with (
        served.http("regulator") as session,
        session.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer,
    ):
        rows: list[dict[str, Any]] = (await answer.json())["rows"]
    return rows


def _plain(cell: dict[str, Any]) -> dict[str, Any]:
    """A minute without how sure media are of it."""
    return {name: value for name, value in cell.items() if name != "grade"}
