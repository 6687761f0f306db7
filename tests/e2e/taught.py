"""A lesson of the demo that is taught without a browser, for tests of what surrounds it."""

import time

from server.demo.page import Login, Refused, Socket, sign_in
from tests.e2e.service import Service


def mono() -> float:
    return time.monotonic() * 1000


async def started(demo: Service) -> tuple[Login, Socket, str]:
    """The demo's instructor has begun the lesson that can be started now."""
    teacher = await sign_in(demo.url, "teacher", demo.password("teacher"))
    control = Socket(teacher)
    await control.open()
    refusals = []
    for lesson in (await teacher.get("/api/v1/lessons"))["lessons"]:
        try:
            await control.call("lesson:join", lesson_id=lesson["id"], device="desktop", page="the-teacher")
            await control.call("lesson:start", lesson_id=lesson["id"])
        except Refused as refused:
            refusals.append((lesson["planned_start"], refused.code, refused.data))
            continue
        return teacher, control, lesson["id"]
    raise AssertionError(f"no lesson can be started: {refusals}")
