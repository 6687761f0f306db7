"""What another process ends (a logout, a reset, a deactivation, another role) is over here within ten seconds: sockets,
leases and media."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from aiortc import RTCPeerConnection

from server.core.clock import ManualClock, SystemClock
from server.core.database import sqlite_url
from tests.school import Page, school

ROOT = Path(__file__).resolve().parents[2]
CUT_S = 10.0


async def watch(page: Page, token: str) -> int:
    """Ask for the picture; its packets never come."""
    connection = RTCPeerConnection()
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    await connection.close()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with page.session.post(f"/media/whep/{page.school.lesson_id}", data=offer, headers=headers) as answer:
        return answer.status


async def elsewhere(folder: Path, what: str, person_id: str) -> None:
    url = sqlite_url(folder / "keshi.db")
    command = [sys.executable, "-m", "tests.crowds._elsewhere", url, what, person_id]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("what", "who"),
    [("logout", "jia"), ("everywhere", "jia"), ("reset", "jia"), ("deactivate", "jia"), ("role", "teacher")],
)
async def test_sockets_leases_and_media_end_within_ten_seconds(tmp_path: Path, what: str, who: str) -> None:
    async with (
        school(tmp_path, ManualClock(SystemClock().ms())) as served,
        served.page("teacher") as teacher,
        served.page("jia") as jia,
    ):
        pages = {"teacher": teacher, "jia": jia}
        await teacher.join()
        await teacher.call("lesson:start")
        joined = await jia.join()
        if who == "jia":
            assert await watch(jia, joined["media"]["token"]) == 201
            assert len(served.sessions) == 1
        await elsewhere(tmp_path, what, served.ids[who])
        ended = time.monotonic()
        while pages[who].client.connected or served.sessions:
            await asyncio.sleep(0.05)
            assert time.monotonic() - ended < CUT_S, "still connected"
        holders = served.house.register.holders
        assert (served.ids["jia"] in holders) == (who != "jia")
        async with pages[who].session.get("/api/v1/me") as answer:
            assert (await answer.json())["me"] is None
        other = "jia" if who == "teacher" else "teacher"
        assert pages[other].client.connected
