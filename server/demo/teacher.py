"""Decides what the generated teacher does: joins, starts, publishes, teaches with slides and questions, ends."""

from functools import partial

from aiortc import RTCPeerConnection

from server.demo.acting import speak
from server.demo.camera import publish
from server.demo.lines import LINES
from server.demo.page import Socket
from server.demo.stage import LESSON_S, Part, Stage
from server.demo.talk import Talk
from server.demo.tracks import Figure, Voice


async def teach(stage: Stage, part: Part) -> None:
    """The whole lesson, from start to end."""
    login = await stage.browser(part)
    camera: RTCPeerConnection | None = None
    control = Socket(login)
    try:
        await control.open()
        lesson_id = stage.plan.lesson_id
        joined = await control.call("lesson:join", lesson_id=lesson_id, device="desktop", page="generated-teacher")
        await control.call("lesson:start", lesson_id=lesson_id)
        stage.begin()
        stage.say(part, "开始上课")
        camera = await publish(login, joined["media"], Voice(), Figure(stage.clock))
        stage.say(part, "画面和声音已发布")
        talk = Talk(control, lesson_id, login.me)
        await stage.until(LESSON_S, partial(speak, LINES[part.script], stage, part, login, talk))
        await control.call("lesson:end", lesson_id=lesson_id)
        stage.say(part, "下课")
    finally:
        if camera is not None:
            await camera.close()
        await control.close()
        await login.close()
