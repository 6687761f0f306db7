"""Decides how actors do what people do in a lesson: by the commands that a page sends, seeing what a page sees.

An act that cannot be done yet, as an answer to a poll that nobody has opened, is tried again at the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.demo.camera import publish
from server.demo.page import Login, Refused, answered
from server.demo.picture import GUEST
from server.demo.stage import Part, Stage
from server.demo.talk import Talk
from server.demo.tracks import GUEST_HZ, Figure, Voice

SLIDES: Final = Path(__file__).parent / "slides.pdf"
SLIDES_NAME: Final = "协助老年人进食与饮水.pdf"
#: how wide a stroke is, of 10,000 across
STROKE: Final = 60


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody in front of a page that has joined."""

    stage: Stage
    part: Part
    login: Login
    talk: Talk


#: Finds the id of something; None: it is not there yet.
Find = Callable[[Talk], str | None]
#: False: not yet. Raises Refused.
Act = Callable[[Actor], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Line:
    """From `second` on, somebody does this as soon as it can be done; `told` stands in the transcript then."""

    second: float
    told: str
    act: Act


async def speak(lines: Sequence[Line], stage: Stage, part: Part, login: Login, talk: Talk) -> None:
    """Do what is due of one's lines. What the server refuses is noted and over."""
    await talk.look()
    for number, line in enumerate(lines):
        if (part.login, number) in stage.said or stage.second() < line.second:
            continue
        try:
            done = await line.act(Actor(stage, part, login, talk))
        except Refused as refused:
            stage.say(part, f"{line.told}，被拒绝：{refused.code}")
            stage.said.add((part.login, number))
            continue
        if done:
            stage.say(part, line.told)
            stage.said.add((part.login, number))


def does(event: str, **fields: object) -> Act:
    """A command that can be sent at any time."""

    async def act(actor: Actor) -> bool:
        await actor.talk.do(event, **fields)
        return True

    return act


def does_with(find: Find, name: str, event: str, **fields: object) -> Act:
    """A command that is sent once there is what it is about; `name`: of the field that takes its id."""

    async def act(actor: Actor) -> bool:
        found = find(actor.talk)
        if found is not None:
            await actor.talk.do(event, **{name: found}, **fields)
        return found is not None

    return act


def says(text: str) -> Act:
    """A line of the chat."""
    return does("chat:say", text=text)


def asks(text: str, *, anonymous: bool = False) -> Act:
    """提问."""
    return does("question:ask", text=text, anonymous=anonymous)


def votes(text: str) -> Act:
    """我也想问."""
    return does_with(_question(text), "question", "question:vote", on=True)


def answers_live(text: str) -> Act:
    """发言作答."""
    return does_with(_question(text), "question", "question:answering", on=True)


def answers(text: str, answer: str) -> Act:
    """In writing."""
    return does_with(_question(text), "question", "question:answer", text=answer)


def signs_in() -> Act:
    """到."""
    return does_with(_open_sign_in, "sign_in_id", "sign_in:here")


def invites() -> Act:
    """邀请上台: whoever raised a hand first."""
    return does_with(_first_hand, "person_id", "stage:invite")


def chooses(*choices: int) -> Act:
    """An answer to the poll that is open."""
    return does_with(_open_poll, "poll_id", "poll:answer", choices=list(choices))


def turns_to(page: int) -> Act:
    """The next page, for everybody."""
    return does_with(_deck, "deck", "board:show", page=page)


def draws(page: int, shape: str, points: Sequence[int]) -> Act:
    """A red stroke on a page."""
    drawn = {"shape": shape, "colour": "red", "width": STROKE, "points": list(points), "text": ""}
    return does_with(_deck, "deck", "board:draw", page=page, **drawn)


def closes_poll(enough: int, latest: float) -> Act:
    """When so many have answered, or at the latest then; everybody sees the tally and what is right."""

    async def act(actor: Actor) -> bool:
        poll = _open_poll(actor.talk)
        if poll is None:
            return False
        tally = actor.talk.one("polls", id=f"{poll}.tally")
        if (tally is None or tally["tally"]["answered"] < enough) and actor.stage.second() < latest:
            return False
        await actor.talk.do("poll:close", poll_id=poll)
        await actor.talk.do("poll:show", poll_id=poll)
        return True

    return act


async def comes_up(actor: Actor) -> bool:
    """连麦: onto the stage, seen and heard by everybody."""
    own = actor.talk.one("stage", id=actor.login.me["id"], where="invited")
    if own is None:
        return False
    number = own["number"]
    await actor.talk.do("stage:accept", number=number, picture=True)
    media = (await actor.talk.do("stage:media", number=number))["media"]
    voice, figure = await asyncio.to_thread(Voice, GUEST_HZ), Figure(actor.stage.clock, GUEST)
    actor.stage.cameras[actor.part.login] = await publish(actor.login, media, voice, figure)
    return True


async def comes_down(actor: Actor) -> bool:
    """Off the stage again."""
    own = actor.talk.one("stage", id=actor.login.me["id"], where="on")
    if own is None:
        return False
    await actor.talk.do("stage:leave", number=own["number"])
    await actor.stage.cameras.pop(actor.part.login).close()
    return True


async def brings_slides(actor: Actor) -> bool:
    """The demo's slides, given to the lesson and shown from their first page."""
    path = f"{actor.login.url}/api/v1/lessons/{actor.talk.lesson_id}/files"
    asked = {"use": "slides", "name": SLIDES_NAME}
    headers = {"Content-Type": "application/octet-stream"}
    async with actor.login.http.post(path, params=asked, data=SLIDES.read_bytes(), headers=headers) as response:
        given = await answered(response)
    await actor.talk.do("board:show", deck=given["file_id"], page=1)
    return True


def _question(text: str) -> Find:
    def find(talk: Talk) -> str | None:
        question = talk.one("questions", text=text)
        return str(question["id"]) if question else None

    return find


def _open_sign_in(talk: Talk) -> str | None:
    sign_in = talk.one("sign_ins", open=True)
    return str(sign_in["id"]) if sign_in else None


def _open_poll(talk: Talk) -> str | None:
    faces = (view for view in talk.all("polls") if view["face"] is not None)
    return next((view["poll_id"] for view in faces if view["face"]["state"] == "open"), None)


def _first_hand(talk: Talk) -> str | None:
    hands = [view for view in talk.all("stage") if view["hand"] is not None]
    return min(hands, key=lambda view: view["hand"])["id"] if hands else None


def _deck(talk: Talk) -> str | None:
    shown = talk.one("board", what="shown")
    return (shown["deck"] or None) if shown else None
