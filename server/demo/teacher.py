"""Decides what the generated teacher does: joins, starts, publishes by WHIP (RFC 9725) like any browser, ends."""

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from server.demo.page import Answer, Login, Socket
from server.demo.stage import LESSON_S, Part, Stage
from server.demo.tracks import Teacher, Voice

PREFERRED = "video/H264"


async def teach(stage: Stage, part: Part) -> None:
    """The whole lesson, from start to end."""
    login = await stage.browser(part)
    camera = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    control = Socket(login)
    try:
        camera.addTransceiver(Voice(), direction="sendonly")
        camera.addTransceiver(Teacher(stage.clock), direction="sendonly")
        await control.open()
        joined = await control.call(
            "lesson:join", lesson_id=stage.plan.lesson_id, device="desktop", page="generated-teacher"
        )
        await control.call("lesson:start", lesson_id=stage.plan.lesson_id)
        stage.begin()
        stage.say(part, "开始上课")
        await _publish(login, camera, joined["media"])
        stage.say(part, "画面和声音已发布")
        await stage.until(LESSON_S)
        await control.call("lesson:end", lesson_id=stage.plan.lesson_id)
        stage.say(part, "下课")
    finally:
        await camera.close()
        await control.close()
        await login.close()


async def _publish(login: Login, camera: RTCPeerConnection, media: Answer) -> None:
    """Offer, post, apply the answer. Raises RuntimeError with the server's refusal."""
    offer = await camera.createOffer()
    await camera.setLocalDescription(offer)
    headers = {"Authorization": f"Bearer {media['token']}", "Content-Type": "application/sdp"}
    body = camera.localDescription.sdp
    async with login.http.post(f"{login.url}{media['whip']}", data=body, headers=headers) as response:
        answer = await response.text()
        if response.status != 201:
            raise RuntimeError(f"WHIP {response.status} {answer}")
    await camera.setRemoteDescription(RTCSessionDescription(answer, "answer"))
