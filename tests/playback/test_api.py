"""Replays through the wire: whoever may see the lesson plays what was recorded of it, nobody else learns of it."""

from pathlib import Path
from shutil import rmtree

import pytest
from aiohttp import ClientSession
from sqlalchemy import text

from media.afterwards import DISK_FULL
from media.api import Recordings
from media.encoded import PROGRESS, TROUBLE, say
from server.settings import RECORDINGS
from tests.playback.recorded import INIT, PARTS, SECONDS, record
from tests.school import School, school

BEGINS = 1_795_424_400.0


async def test_a_trainee_plays_what_was_recorded(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        record(tmp_path / RECORDINGS, served.lesson_id, BEGINS)
        base = f"/api/v1/lessons/{served.lesson_id}/"
        async with page.get(f"{base}replay") as answer:
            told = await answer.json()
        assert (told["begins"], told["seconds"], told["holes"]) == ("2026-11-23T09:00:00.000Z", SECONDS, [])
        async with page.get(f"{base}replay/picture.m3u8") as answer:
            assert answer.content_type == "application/vnd.apple.mpegurl"
            lines = (await answer.text()).splitlines()
        (first,) = (line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP"))
        fetched = b""
        for address in (first, *(line for line in lines if not line.startswith("#"))):
            async with page.get(f"{base}replay/{address}") as answer:
                assert (answer.status, answer.content_type) == (200, "video/mp4")
                fetched += await answer.read()
        assert fetched == INIT.data + b"".join(part.data for part in PARTS)


async def test_a_screen_is_recorded_and_played_by_itself(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        base = f"/api/v1/lessons/{served.lesson_id}/replay"
        record(tmp_path / RECORDINGS, served.lesson_id, BEGINS)
        assert await _told(page, base) == (False, SECONDS)
        record(tmp_path / RECORDINGS / served.lesson_id, "screen", BEGINS + 2, PARTS[:30])
        assert await _told(page, base) == (True, SECONDS)
        async with page.get(f"{base}/screen.m3u8") as answer:
            assert "\nscreen/1/" in await answer.text()
        async with page.get(f"{base}/screen/1/0/{len(INIT.data)}.mp4") as answer:
            assert await answer.read() == INIT.data


async def test_pictures_that_are_not_there_yet_are_told_with_what_is_wrong(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        folder, address = tmp_path / RECORDINGS, f"/api/v1/lessons/{served.lesson_id}/replay"
        record(folder, served.lesson_id, BEGINS)
        told = [await _encoding(page, address)]
        record(folder, served.lesson_id, BEGINS, rendition="picture_vp8")
        told.append(await _encoding(page, address))
        say(folder / served.lesson_id, 1, PROGRESS, "0.375")
        say(folder / served.lesson_id, 1, TROUBLE, DISK_FULL)
        told.append(await _encoding(page, address))
    assert told == [None, {"percent": 0, "why": None}, {"percent": 37, "why": "disk_full"}]


async def _encoding(page: ClientSession, address: str) -> object:
    async with page.get(address) as answer:
        return (await answer.json())["encoding"]


async def test_guests_on_stage_are_played_beside_it_and_nobody_elses(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page, served.http("stranger") as stranger:
        folder, base = tmp_path / RECORDINGS, f"/api/v1/lessons/{served.lesson_id}/replay"
        record(folder, served.lesson_id, BEGINS)
        for room in ("-2", "-10", "-check", "-3x", "0-4"):
            record(folder, f"{served.lesson_id}{room}", BEGINS + 3)
        async with page.get(base) as answer:
            assert (await answer.json())["guests"] == [2, 10]
        async with page.get(f"{base}/guests/10/picture.m3u8") as answer:
            lines = (await answer.text()).splitlines()
        assert "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:00:03.000Z" in lines
        pieces = ["picture.m3u8", *(line for line in lines if line and not line.startswith("#"))]
        for address in pieces:
            async with page.get(f"{base}/guests/10/{address}") as answer:
                assert answer.status == 200
            async with stranger.get(f"{base}/guests/10/{address}") as answer:
                assert (answer.status, (await answer.json())["code"]) == (404, "not_found")
        for address in ("3/picture.m3u8", "3/picture/1/0/4.mp4"):
            async with page.get(f"{base}/guests/{address}") as answer:
                assert (answer.status, (await answer.json())["code"]) == (404, "not_found")


async def test_a_guest_whose_folder_was_deleted_is_gone(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        base = f"/api/v1/lessons/{served.lesson_id}/replay"
        for guest in (1, 2):
            record(tmp_path / RECORDINGS, f"{served.lesson_id}-{guest}", BEGINS)
        rmtree(tmp_path / RECORDINGS / f"{served.lesson_id}-1")
        async with page.get(base) as answer:
            told = await answer.json()
        assert (told["begins"], told["guests"]) == (None, [2])


async def test_a_guests_pictures_that_are_not_there_yet_are_told_as_well(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        folder, guest = tmp_path / RECORDINGS, f"{served.lesson_id}-1"
        for room in (served.lesson_id, guest):
            record(folder, room, BEGINS)
        record(folder, guest, BEGINS, rendition="picture_vp8")
        told = await _encoding(page, f"/api/v1/lessons/{served.lesson_id}/replay")
    assert told == {"percent": 0, "why": None}


async def _told(page: ClientSession, base: str) -> tuple[bool, float]:
    async with page.get(base) as answer:
        told = await answer.json()
    return told["screen"], told["seconds"]


async def test_the_playlist_grows_until_the_lesson_is_over(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("teacher") as desk:
        record(tmp_path / RECORDINGS, served.lesson_id, BEGINS)
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        assert not await _over(served)
        assert (await desk.call("lesson:end"))["ok"]
        assert await _over(served)


async def test_a_regulator_plays_it_and_the_look_is_written_down_before_once_an_hour(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("regulator") as page, served.http("abroad") as elsewhere:
        record(tmp_path / RECORDINGS, served.lesson_id, BEGINS)
        record(tmp_path / RECORDINGS, f"{served.lesson_id}-1", BEGINS)
        base = f"/api/v1/lessons/{served.lesson_id}/replay"
        for address in (
            f"{base}/{guest}picture{file}"
            for guest in ("", "guests/1/")
            for file in (".m3u8", "/1/0/4.mp4", "/1/4/4.mp4")
        ):
            async with page.get(address) as answer:
                assert answer.status == 200
            async with elsewhere.get(address) as answer:
                assert answer.status == 404
        async with served.house.store.database.read() as connection:
            looks = (await connection.execute(text("SELECT page, object_id FROM regulator_view"))).all()
        assert looks == [("GET /api/v1/lessons/{lesson_id}/replay/{rendition}.m3u8", served.lesson_id)]


async def test_where_nothing_was_recorded_there_is_nothing(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("teacher") as page:
        base = f"/api/v1/lessons/{served.lesson_id}/replay"
        async with page.get(base) as answer:
            told = await answer.json()
        assert (told["begins"], told["seconds"]) == (None, 0)
        for address in (f"{base}/picture.m3u8", f"{base}/picture/1/0/4.mp4"):
            async with page.get(address) as answer:
                assert (answer.status, (await answer.json())["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "address",
    [
        "picture/1/0/99999999999.mp4",
        "picture/0/0/4.mp4",
        "picture/1/-1/4.mp4",
        "hologram.m3u8",
        "guests/0/picture.m3u8",
        "guests/1/screen.m3u8",
    ],
)
async def test_nonsense_is_refused(tmp_path: Path, address: str) -> None:
    async with school(tmp_path) as served, served.http("jia") as page:
        record(tmp_path / RECORDINGS, served.lesson_id, BEGINS)
        async with page.get(f"/api/v1/lessons/{served.lesson_id}/replay/{address}") as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")


async def test_a_lesson_is_recorded_where_the_setting_says_so(tmp_path: Path) -> None:
    async with school(tmp_path, groups={"media": {"recording": True}}) as served, served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        (room,) = served.media._plane.rooms.values()
        assert len(room.taps) == 1
        assert Recordings(tmp_path / RECORDINGS).read(served.lesson_id).takes == []


async def _over(served: School) -> bool:
    async with (
        served.http("jia") as page,
        page.get(f"/api/v1/lessons/{served.lesson_id}/replay/picture.m3u8") as answer,
    ):
        return "#EXT-X-ENDLIST" in await answer.text()
