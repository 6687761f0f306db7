"""The instructor is told how each trainee's line is, and nobody else."""

import asyncio
from pathlib import Path

import pytest

from media.api import Line
from server.live.network import NetworkRow, row_of, state_of
from server.live.service import peer_of
from tests.media.clients import EncodedVideo, h264_pictures, publish, watch
from tests.school import school

GOOD = Line("a.1", True, 900, 0.0, 5, 30, True, False)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "good"),
        ({"loss": 0.049, "jitter_ms": 99, "round_trip_ms": 599}, "good"),
        ({"loss": 0.05}, "weak"),
        ({"jitter_ms": 100}, "weak"),
        ({"round_trip_ms": 600}, "weak"),
        ({"small": True}, "weak"),
        ({"picture": False}, "none"),
        ({"loss": None, "jitter_ms": None, "round_trip_ms": None, "direct": False}, "good"),
    ],
)
def test_what_a_line_means(change: dict[str, object], state: str) -> None:
    assert state_of(GOOD._replace(**change)) == state  # type: ignore[arg-type]


def test_a_row_with_and_without_a_line() -> None:
    assert row_of("a", GOOD._replace(loss=0.0123)) == NetworkRow("a", "good", True, 900, 1.2, 5, 30)
    assert row_of("a", None) == NetworkRow("a", "none", False, 0, None, None, None)


async def test_the_instructor_sees_who_gets_a_picture_and_who_does_not(tmp_path: Path) -> None:
    async with (
        school(tmp_path) as served,
        served.page("teacher") as desk,
        served.page("jia") as jia,
        served.page("yi") as yi,
    ):
        joined = await desk.join()
        await desk.call("lesson:start")
        assert (await desk.call("lesson:network"))["rows"] == []  # nothing is sent yet
        media = joined["media"]
        video = EncodedVideo(h264_pictures(60), 30)
        teacher = await publish(desk.session, served.url, media["room"], media["token"], video)
        await teacher.connected()
        sees = (await jia.join())["media"]
        await yi.join(page="page-two")
        viewer, _ = await watch(jia.session, served.url, sees["room"], sees["token"], ("video",))
        await viewer.connected()
        states: dict[str, str] = {}
        async with asyncio.timeout(30):
            while states.get(served.ids["jia"]) != "good":
                told = await desk.call("lesson:network")
                states = {row["person_id"]: row["state"] for row in told["rows"]}
                await asyncio.sleep(0.2)
        assert states == {served.ids["jia"]: "good", served.ids["yi"]: "none"}
        for who in (jia, yi):
            assert (await who.call("lesson:network"))["code"] == "forbidden"
        assert peer_of(served.ids["jia"], 1) in served.media.stats(served.lesson_id).viewers
        for client in (viewer, teacher):
            await client.close()
