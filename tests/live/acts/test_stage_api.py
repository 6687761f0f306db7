"""The stage with the real house and the real plane: rooms, tokens, silence, down at once, lost, after a restart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media.api import CAMERA, CAMERA_LOW, SCREEN, VOICE, MediaError
from server.core.clock import ManualClock, elapsed_ms
from server.core.errors import DomainError
from server.live.acts import stage_api
from server.live.acts.log import ActLog, Answer
from server.live.acts.port import Who
from server.live.acts.stage import INVITED_MS, Settle
from tests.media.clients import Client, EncodedAudio, Refused, opus_packets, publish, watch
from tests.school import NOON_MS, Page, School, school

TONE = opus_packets(50)
SECONDS = 20


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds; far longer than it can take."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@dataclass
class Hall:
    """A lesson that is live, its instructor and two trainees."""

    school: School
    teacher: Page
    jia: Page
    yi: Page
    resume: str

    @property
    def rooms(self) -> list[str]:
        """The guests' rooms that are open."""
        return sorted(room for room in self.school.media._plane.rooms if "-" in room)

    def room(self, number: int) -> str:
        return f"{self.school.lesson_id}-{number}"

    async def ok(self, page: Page, event: str, **arguments: Any) -> dict[str, Any]:
        answer = await page.call(event, **arguments)
        assert answer["ok"], answer
        return answer

    async def up(self, number: int = 1) -> dict[str, Any]:
        """Jia comes on stage; gives what jia's page publishes with."""
        await self.ok(self.teacher, "stage:invite", person_id=self.school.ids["jia"])
        await self.ok(self.jia, "stage:accept", number=number, picture=True)
        return (await self.ok(self.jia, "stage:media", number=number))["media"]  # type: ignore[no-any-return]

    async def speak(self, media: dict[str, Any]) -> Client:
        assert media["whip"] == f"/media/whip/{media['room']}"
        client = await publish(self.jia.session, self.school.url, media["room"], media["token"], EncodedAudio(TONE))
        await client.connected()
        await until(lambda: self.school.media.stats(media["room"]).publisher_live)
        return client

    async def stage(self, page: Page) -> dict[str, dict[str, Any]]:
        """What a page is told of the stage, by person."""
        told = await self.ok(page, "lesson:since", seq=0)
        return {one["id"]: one for one in told["changes"]["stage"]}

    async def shown(self, holds: Callable[[dict[str, dict[str, Any]]], bool], page: Page | None = None) -> None:
        """Wait until something holds of the stage."""
        async with asyncio.timeout(SECONDS):
            while not holds(await self.stage(page or self.yi)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


@asynccontextmanager
async def held(folder: Path, clock: ManualClock | None = None) -> AsyncIterator[Hall]:
    async with (
        school(folder, clock) as here,
        here.page("teacher") as teacher,
        here.page("jia") as jia,
        here.page("yi") as yi,
    ):
        await teacher.join()
        await teacher.call("lesson:start")
        lease = (await jia.join(page="page-jia-1"))["lease"]
        await yi.join(page="page-yi-01")
        yield Hall(here, teacher, jia, yi, lease["resume"])


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with held(tmp_path) as each:
        yield each


async def sound(client_tracks: dict[str, Any]) -> None:
    async with asyncio.timeout(SECONDS):
        await client_tracks["audio"].recv()


async def test_a_silence_holds_also_when_the_stage_could_not_write_it_down(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process ends, or the store fails, between the order's act and the stage's."""
    await hall.up()
    answer = ActLog.answer

    async def fails(log: ActLog, lesson_id: str, who: Who, activity: str, command: Any) -> Answer:
        if isinstance(command, Settle):
            raise DomainError("store_unavailable")
        return await answer(log, lesson_id, who, activity, command)

    monkeypatch.setattr(ActLog, "answer", fails)
    await hall.ok(hall.teacher, "order:silence", on=True)
    room = hall.school.media._plane.rooms[hall.room(1)]
    await until(lambda: room.hushed == {VOICE, CAMERA, CAMERA_LOW, SCREEN})
    await hall.ok(hall.teacher, "order:silence", on=False)
    await until(lambda: room.hushed == {SCREEN})


async def test_from_the_hand_to_the_stage_and_down(hall: Hall) -> None:
    jia = hall.school.ids["jia"]
    await hall.ok(hall.jia, "stage:raise")
    assert (await hall.stage(hall.yi))[jia]["hand"] == 1
    media = await hall.up()
    assert (media["room"], hall.rooms) == (hall.room(1), [hall.room(1)])
    client = await hall.speak(media)
    for page in (hall.yi, hall.teacher):
        given = (await hall.ok(page, "stage:media", number=1))["media"]
        assert given["whip"] is None
        viewer, tracks = await watch(page.session, hall.school.url, given["room"], given["token"], ("audio",))
        await sound(tracks)
        await viewer.close()
    assert (await hall.stage(hall.yi))[jia]["where"] == "on"
    await hall.ok(hall.teacher, "stage:take_down", person_id=jia)
    assert hall.rooms == []  # by the time of the answer
    assert (await hall.stage(hall.yi))[jia]["why"] == "taken_down"
    assert (await hall.jia.call("stage:media", number=1))["code"] == "not_on_stage"
    with pytest.raises(Refused, match="room_closed"):
        await publish(hall.jia.session, hall.school.url, media["room"], media["token"], EncodedAudio(TONE))
    await client.close()


async def test_whoever_is_not_invited_cannot_publish(hall: Hall) -> None:
    session, url = hall.yi.session, hall.school.url
    assert (await hall.yi.call("stage:accept", number=1, picture=True))["code"] == "not_invited"
    assert (await hall.yi.call("stage:media", number=1))["code"] == "not_on_stage"
    stale = await hall.up()
    assert (await hall.yi.call("stage:accept", number=1, picture=True))["code"] == "not_invited"
    watching = (await hall.ok(hall.yi, "stage:media", number=1))["media"]
    for room, token in ((hall.room(1), watching["token"]), (hall.school.lesson_id, stale["token"])):
        with pytest.raises(Refused, match="grant_mismatch"):
            await publish(session, url, room, token, EncodedAudio(TONE))
    await hall.ok(hall.jia, "stage:leave", number=1)
    again = await hall.up(2)
    for room in (hall.room(1), hall.room(2)):
        with pytest.raises(Refused, match=r"room_closed|grant_mismatch"):
            await publish(session, url, room, stale["token"], EncodedAudio(TONE))
    await (await hall.speak(again)).close()


async def packets(hall: Hall, room: str) -> int:
    """How many went out of a room in half a second."""
    before = hall.school.media.stats(room).packets_out
    await asyncio.sleep(0.5)
    return hall.school.media.stats(room).packets_out - before


async def test_a_silence_holds_whatever_the_guest_sends(hall: Hall) -> None:
    jia = hall.school.ids["jia"]
    media = await hall.up()
    client = await hall.speak(media)
    given = (await hall.ok(hall.yi, "stage:media", number=1))["media"]
    viewer, tracks = await watch(hall.yi.session, hall.school.url, given["room"], given["token"], ("audio",))
    await sound(tracks)
    silences: tuple[tuple[Page, str, dict[str, Any], dict[str, Any]], ...] = (
        (hall.teacher, "stage:silence", {"person_id": jia, "on": True}, {"person_id": jia, "on": False}),
        (hall.teacher, "order:silence", {"on": True}, {"on": False}),
        (hall.teacher, "order:switch", {"what": "voice", "on": False}, {"what": "voice", "on": True}),
        (hall.jia, "stage:switch", {"voice": False, "picture": True}, {"voice": True, "picture": True}),
    )
    for page, event, silent, again in silences:
        await hall.ok(page, event, **silent)
        assert not (await hall.stage(hall.yi))[jia]["voice"], event
        assert await packets(hall, given["room"]) == 0, event
        if page is hall.teacher:
            await hall.jia.call("stage:switch", voice=False, picture=True)
            await hall.jia.call("stage:switch", voice=True, picture=True)  # the guest says what it likes
            assert await packets(hall, given["room"]) == 0, event
        await hall.ok(page, event, **again)
        assert await packets(hall, given["room"]) > 10, event
    for each in (client, viewer):
        await each.close()


async def test_a_picture_is_sent_on_only_where_it_is_allowed(hall: Hall) -> None:
    plane = hall.school.media._plane
    await hall.ok(hall.teacher, "order:switch", what="video", on=False)
    await hall.up()
    assert plane.rooms[hall.room(1)].hushed >= {CAMERA, "screen"}
    await hall.ok(hall.teacher, "order:switch", what="video", on=True, person_id=hall.school.ids["jia"])
    assert plane.rooms[hall.room(1)].hushed == {"screen"}
    await hall.ok(hall.jia, "stage:switch", voice=False, picture=False)
    assert plane.rooms[hall.room(1)].hushed >= {CAMERA, VOICE}


async def test_who_is_removed_leaves_or_is_taken_over_is_down(hall: Hall) -> None:
    jia = hall.school.ids["jia"]
    await hall.up(1)
    await hall.ok(hall.jia, "lesson:leave", epoch=1)
    await until(lambda: not hall.rooms)
    assert (await hall.stage(hall.yi))[jia]["why"] == "left"
    await hall.jia.join(page="page-jia-2")
    await hall.up(2)
    await hall.ok(hall.teacher, "order:remove", person_id=jia)
    assert hall.rooms == []
    assert (await hall.stage(hall.yi))[jia]["why"] == "removed"


async def test_with_the_login_goes_the_place_on_stage(hall: Hall) -> None:
    media = await hall.up()
    client = await hall.speak(media)
    async with hall.jia.session.post("/api/v1/logout", json={}) as answer:
        assert answer.status == 200
    await until(lambda: not hall.rooms)
    with pytest.raises(Refused):
        await publish(hall.yi.session, hall.school.url, media["room"], media["token"], EncodedAudio(TONE))
    await client.close()


async def test_who_is_not_heard_of_comes_down(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    now = elapsed_ms()
    monkeypatch.setattr(stage_api, "elapsed_ms", lambda: now)
    media = await hall.up()
    client = await hall.speak(media)
    rounds = next(job for job in _jobs(hall) if job.name == "live.stage").work
    await until(lambda: not hall_silent(hall, rounds))
    now += 10 * stage_api.LOST_MS
    await rounds()
    assert hall.rooms == [hall.room(1)]
    await client.close()
    await client.delete()
    await until(lambda: hall_silent(hall, rounds))
    now += stage_api.LOST_MS
    await rounds()
    assert hall.rooms == [hall.room(1)]
    now += 1
    await rounds()
    assert hall.rooms == []
    assert (await hall.stage(hall.yi))[hall.school.ids["jia"]]["why"] == "lost"


def _jobs(hall: Hall) -> list[Any]:
    return [job for capability in hall.school.house.capabilities for job in capability.jobs]


def hall_silent(hall: Hall, rounds: Any) -> dict[str, float]:
    """The rooms of which nothing comes, as the stage itself keeps them."""
    found: dict[str, float] = rounds.__self__._lessons[hall.school.lesson_id].silent_ms
    return found


async def test_an_invitation_lapses_by_itself(hall: Hall) -> None:
    await hall.ok(hall.teacher, "stage:invite", person_id=hall.school.ids["jia"])
    hall.school.clock.advance(INVITED_MS)
    await hall.shown(lambda stage: not stage)

    def told() -> list[dict[str, Any]]:
        return [one for news in hall.yi.heard("lesson:acts") for one in news["changes"]["stage"]]

    await until(lambda: told() and (told()[-1]["where"], told()[-1]["why"]) == ("", "lapsed"))


async def test_the_stage_ends_with_the_lesson(hall: Hall) -> None:
    media = await hall.up()
    client = await hall.speak(media)
    await hall.ok(hall.yi, "stage:raise")
    await hall.ok(hall.teacher, "lesson:end")
    assert hall.rooms == []
    assert (await hall.jia.call("stage:media", number=1))["code"] == "not_on_stage"
    await hall.shown(lambda stage: not any(one["where"] or one["hand"] for one in stage.values()), hall.teacher)
    await client.close()


async def test_four_are_on_stage_and_a_fifth_is_not(hall: Hall) -> None:
    for number in range(4):
        await hall.ok(hall.teacher, "stage:invite", person_id=f"nobody{number}")
    refused = await hall.teacher.call("stage:invite", person_id=hall.school.ids["jia"])
    assert (refused["code"], refused["data"]) == ("stage_full", {"limit": 4})


async def test_after_a_restart_the_guest_is_still_on_stage(tmp_path: Path) -> None:
    clock = ManualClock(NOON_MS)
    async with held(tmp_path, clock) as before:
        await before.up()
        await before.ok(before.teacher, "stage:silence", person_id=before.school.ids["jia"], on=True)
        resume = before.resume
    async with school(tmp_path, ManualClock(NOON_MS + 20_000)) as here:
        room = f"{here.lesson_id}-1"
        await until(lambda: room in here.media._plane.rooms)
        assert VOICE in here.media._plane.rooms[room].hushed
        async with here.page("jia") as jia:
            joined = await jia.join(page="page-jia-1", resume=resume)
            assert joined["ok"], joined
            media = (await jia.call("stage:media", number=1))["media"]
            client = await publish(jia.session, here.url, room, media["token"], EncodedAudio(TONE))
            await client.connected()
            await client.close()
        with pytest.raises(MediaError):
            here.media.stats(f"{here.lesson_id}-2")
