"""Actors do what is due, once, when it can be done; what the server refuses is told and does not stop them."""

from pathlib import Path
from typing import Any

import pytest

from server.core.clock import ManualClock
from server.demo.acting import (
    Actor,
    Line,
    answers,
    asks,
    chooses,
    closes_poll,
    draws,
    invites,
    says,
    signs_in,
    speak,
    turns_to,
    votes,
)
from server.demo.page import Login, Refused
from server.demo.stage import Part, Plan, Stage
from server.demo.talk import Talk

PART = Part("steady", "演示·甲", "trainee01", "secret")


class Heard(Talk):
    """Knows what it is told here, and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.refusing = ""
        self.me = {"id": "me"}
        self._views = {}

    async def look(self) -> None:
        """Nothing comes by itself."""

    async def do(self, event: str, **fields: Any) -> dict[str, Any]:
        if event == self.refusing:
            raise Refused("slow_down", {})
        self.sent.append((event, fields))
        return {}

    def knows(self, activity: str, **view: Any) -> None:
        self._views[activity, view["id"]] = view


class Acted:
    """A stage at a second that the test sets, and one actor on it."""

    def __init__(self, folder: Path) -> None:
        plan = Plan("http://127.0.0.1:1", "l", PART, (PART,), str(folder / "t.log"))
        self.talk, self.stage, self.now = Heard(), Stage(plan, ManualClock(1_795_400_000_000)), 0.0
        self.stage.second = lambda: self.now  # type: ignore[method-assign]
        self.transcript = folder / "t.log"

    async def speak(self, *lines: Line) -> list[str]:
        """Look once; which events were sent by that."""
        before = len(self.talk.sent)
        await speak(lines, self.stage, PART, Login("", None), self.talk)  # type: ignore[arg-type]
        return [event for event, _ in self.talk.sent[before:]]

    async def done(self, act: Any) -> dict[str, Any] | None:
        """What an act sends now, None: it cannot be done yet."""
        self.talk.sent.clear()
        if not await act(Actor(self.stage, PART, Login("", None), self.talk)):  # type: ignore[arg-type]
            assert self.talk.sent == []
            return None
        return self.talk.sent[0][1]


@pytest.fixture
def acted(tmp_path: Path) -> Acted:
    return Acted(tmp_path)


async def test_a_line_is_said_when_it_is_due_and_once(acted: Acted) -> None:
    lines = (Line(5, "问好", says("好")), Line(9, "提问", asks("为什么？")))
    assert await acted.speak(*lines) == []
    acted.now = 6
    assert (await acted.speak(*lines), await acted.speak(*lines)) == (["chat:say"], [])
    acted.now = 20
    assert await acted.speak(*lines) == ["question:ask"]
    assert [line.split(" ", 2)[2] for line in acted.transcript.read_text().splitlines()] == ["问好", "提问"]


async def test_what_cannot_be_done_yet_is_done_later_and_holds_up_nothing(acted: Acted) -> None:
    lines = (Line(0, "投票", votes("为什么？")), Line(0, "问好", says("好")))
    assert await acted.speak(*lines) == ["chat:say"]
    acted.talk.knows("questions", id="7", text="为什么？")
    assert await acted.speak(*lines) == ["question:vote"]
    assert acted.talk.sent[-1][1] == {"question": "7", "on": True}


async def test_a_refusal_is_told_and_the_next_line_comes(acted: Acted) -> None:
    acted.talk.refusing = "chat:say"
    lines = (Line(0, "问好", says("好")), Line(0, "提问", asks("为什么？")))
    assert (await acted.speak(*lines), await acted.speak(*lines)) == (["question:ask"], [])
    assert "问好，被拒绝：slow_down" in acted.transcript.read_text()


async def test_acts_are_about_what_the_page_shows(acted: Acted) -> None:
    acts = (signs_in(), chooses(1), turns_to(2), draws(2, "line", (0, 0, 9, 9)), invites(), answers("为什么？", "因为"))
    assert [await acted.done(act) for act in acts] == [None] * len(acts)
    know = acted.talk.knows
    know("sign_ins", id="3", open=False)
    know("sign_ins", id="5", open=True)
    know("polls", id="4.tally", poll_id="4", face=None, tally={"answered": 0})
    know("polls", id="4", poll_id="4", face={"state": "open"}, tally=None)
    know("board", id="shown", what="shown", deck="d", page=1)
    know("stage", id="later", hand=9, where="")
    know("stage", id="first", hand=8, where="")
    know("questions", id="7", text="为什么？")
    sent = [await acted.done(act) or {} for act in acts]
    assert [next(iter(fields.values())) for fields in sent] == ["5", "4", "d", "d", "first", "7"]


async def test_the_poll_closes_with_enough_answers_or_at_the_latest_then(acted: Acted) -> None:
    close = closes_poll(2, latest=140)
    assert await acted.done(close) is None
    acted.talk.knows("polls", id="4", poll_id="4", face={"state": "open"}, tally=None)
    acted.talk.knows("polls", id="4.tally", poll_id="4", face=None, tally={"answered": 1})
    assert await acted.done(close) is None
    acted.now = 140
    assert await acted.done(close) == {"poll_id": "4"}
    acted.now = 125
    acted.talk.knows("polls", id="4.tally", poll_id="4", face=None, tally={"answered": 2})
    await acted.done(close)
    assert [event for event, _ in acted.talk.sent] == ["poll:close", "poll:show"]
