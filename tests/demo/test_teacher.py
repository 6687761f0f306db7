"""The generated teacher's picture arrives at a viewer, with the clock of now in it."""

import asyncio

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from server.demo.page import Login, Page, sign_in
from server.demo.stage import Part, Plan, Stage
from server.demo.teacher import teach
from tests.demo.conftest import Served
from tests.demo.test_picture import read_clock

WAIT_S = 20


async def watch(login: Login, media: dict[str, str]) -> RTCPeerConnection:
    """Ask for the picture as a viewer's page does."""
    viewer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in ("audio", "video"):
        viewer.addTransceiver(kind, direction="recvonly")
    await viewer.setLocalDescription(await viewer.createOffer())
    headers = {"Authorization": f"Bearer {media['token']}", "Content-Type": "application/sdp"}
    offer = viewer.localDescription.sdp
    async with login.http.post(f"{login.url}{media['whep']}", data=offer, headers=headers) as response:
        assert response.status == 201
        await viewer.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
    return viewer


async def test_a_viewer_reads_the_clock(served: Served) -> None:
    lesson = await served.lessons._seed.plan_now("试演", 10 * 60_000)
    teacher, account = served.account("teacher"), served.account("trainee01")
    part = Part("teach", teacher.name, teacher.login, teacher.password)
    stage = Stage(Plan(served.url, lesson.id, part, (), str(served.folder / "t.log"), 0.05), served.house.store.clock)
    teaching = asyncio.gather(teach(stage, part))
    async with asyncio.timeout(WAIT_S):
        await stage.begun.wait()
        login = await sign_in(served.url, account.login, account.password)
        page = Page(login, lesson.id, "phone", lambda: asyncio.get_running_loop().time() * 1000)
        media = (await page.join())["media"]
        viewer = await watch(login, media)
        track = next(each.receiver.track for each in viewer.getTransceivers() if each.receiver.track.kind == "video")
        frame = await track.recv()
        assert isinstance(frame, av.VideoFrame)
        first = await _clock(frame)
        for _ in range(12):
            frame = await track.recv()
        assert isinstance(frame, av.VideoFrame)
        assert await _clock(frame) > first
        await viewer.close()
        await page.leave()
        await login.close()
        await teaching
    assert (await served.house.training.lesson(lesson.id)).state == "ended"


async def _clock(frame: av.VideoFrame) -> str:
    """The clock's strokes, cleaned of what the encoder did to them."""
    plane = frame.planes[0]
    rows = [bytes(plane)[row * plane.line_size :][: frame.width] for row in range(frame.height)]
    return read_clock(bytes(226 if value > 150 else 58 for value in b"".join(rows)))
