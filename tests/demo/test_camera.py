"""A guest comes onto the stage of a real lesson: invited, seen by others in a picture of their own, down again."""

import asyncio

import av

from server.demo.acting import Act, Actor, comes_down, comes_up, does, invites
from server.demo.page import Page, Socket, sign_in
from server.demo.picture import HOME
from server.demo.stage import Part, Plan, Stage
from server.demo.talk import Talk
from tests.demo.conftest import Served
from tests.demo.test_teacher import watch


def mono() -> float:
    return asyncio.get_running_loop().time() * 1000


async def actor(served: Served, login: str, lesson_id: str) -> Actor:
    account = served.account(login)
    part = Part("steady", account.name, account.login, account.password)
    stage = Stage(Plan(served.url, lesson_id, part, (), str(served.folder / "t.log")), served.house.store.clock)
    signed = await sign_in(served.url, account.login, account.password)
    if account.role == "instructor":
        control = Socket(signed)
        await control.open()
        await control.call("lesson:join", lesson_id=lesson_id, device="desktop", page="a-teacher")
        return Actor(stage, part, signed, Talk(control, lesson_id, signed.me))
    page = Page(signed, lesson_id, "phone", mono)
    await page.join()
    assert page.talk is not None
    return Actor(stage, part, signed, page.talk)


async def until(who: Actor, act: Act) -> None:
    """Try until it can be done."""
    async with asyncio.timeout(20):
        while not await act(who):
            await asyncio.sleep(0.05)
            await who.talk.look()


async def test_a_guest_is_seen_by_others_until_they_come_down(served: Served) -> None:
    lesson = await served.lessons._seed.plan_now("试演", 10 * 60_000)
    teacher = await actor(served, "teacher", lesson.id)
    await teacher.talk.do("lesson:start")
    guest, other = [await actor(served, one, lesson.id) for one in ("trainee01", "trainee02")]
    assert not await comes_up(guest)
    await until(guest, does("stage:raise"))
    await until(teacher, invites())
    await until(guest, comes_up)
    own = guest.talk.one("stage", id=guest.login.me["id"])
    assert own is not None
    media = (await other.talk.do("stage:media", number=own["number"]))["media"]
    viewer = await watch(other.login, media)
    frame = await next(
        each.receiver.track for each in viewer.getTransceivers() if each.receiver.track.kind == "video"
    ).recv()
    assert isinstance(frame, av.VideoFrame)
    assert abs(bytes(frame.planes[0])[0] - HOME[0]) < 6, "the wall of somebody's home, not the teacher's"
    await viewer.close()
    await until(guest, comes_down)
    assert guest.stage.cameras == {}
    for one in (guest, other, teacher):
        await one.login.close()
