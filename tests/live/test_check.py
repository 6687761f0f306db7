"""Whoever is signed in may try the line: one room for all, one of their own for instructors, not too often."""

from pathlib import Path

import pytest

from media.api import MediaError
from server.core.clock import elapsed_ms
from server.live import check
from tests.media.clients import EncodedVideo, h264_pictures, publish, watch
from tests.school import School, school


async def ask(served: School, who: str) -> tuple[int, dict[str, object]]:
    async with served.http(who) as http, http.post("/api/v1/check", json={}) as answer:
        return answer.status, await answer.json()


async def test_an_instructor_sees_the_own_picture_come_back(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("teacher") as http:
        async with http.post("/api/v1/check", json={}) as answer:
            given = await answer.json()
        send, back, common = given["send"], given["back"], given["common"]
        sent = await publish(http, served.url, send["room"], send["token"], EncodedVideo(h264_pictures(30), 30))
        seen, tracks = await watch(http, served.url, back["room"], back["token"], ("video",))
        joined, _ = await watch(http, served.url, common["room"], common["token"], ("audio",))
        for client in (sent, seen, joined):
            await client.connected()
        assert await tracks["video"].recv() is not None
        for client in (sent, seen, joined):
            await client.close()
        assert given["common"]["whip"] is None
        assert served.media.figures().viewers == 0


async def test_a_trainee_only_connects(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        status, given = await ask(served, "jia")
        assert (status, given["send"], given["back"]) == (200, None, None)
        assert given["common"]["whep"] == "/media/whep/check"  # type: ignore[index]


async def test_not_too_often(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("jia") as http:
        statuses = []
        for _ in range(check.CHECKS_AT_ONCE + 1):
            async with http.post("/api/v1/check", json={}) as answer:
                statuses.append(answer.status)
        assert statuses == [200] * check.CHECKS_AT_ONCE + [429]
        assert (await ask(served, "yi"))[0] == 200


async def test_rooms_of_ones_own_are_few_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "OWN_ROOMS", 1)
    async with school(tmp_path) as served:
        _, given = await ask(served, "teacher")
        room = given["send"]["room"]  # type: ignore[index]
        status, refused = await ask(served, "other")
        assert (status, refused["code"]) == (503, "check_busy")
        served.media.stats(room)
        later = elapsed_ms() + check.OWN_MS + 1
        monkeypatch.setattr(check, "elapsed_ms", lambda: later)
        assert (await ask(served, "other"))[0] == 200
        with pytest.raises(MediaError, match="room_closed"):
            served.media.stats(room)
