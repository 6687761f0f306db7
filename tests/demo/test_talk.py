"""A page without a browser knows what is so: from the beginning, from pushes, and by asking for what it missed."""

from typing import Any

from server.demo.talk import Talk

ME = {"id": "me", "login": "trainee01"}


class Line:
    """A connection to nobody: answers `lesson:since` with what is put into it."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[int] = []
        self.known = told(0)

    async def call(self, event: str, **fields: Any) -> dict[str, Any]:
        assert (event, fields["lesson_id"]) == ("lesson:since", "l")
        self.asked.append(fields["seq"])
        return {**self.known, "whole": fields["seq"] == 0}

    def push(self, after: int, seq: int, *views: dict[str, Any], lesson_id: str = "l") -> None:
        self.pushed.append(("lesson:acts", {**told(seq, *views), "after": after, "lesson_id": lesson_id}))


def told(seq: int, *views: dict[str, Any]) -> dict[str, Any]:
    return {"seq": seq, "changes": {"questions": list(views)}}


def question(key: str, votes: int) -> dict[str, Any]:
    return {"id": key, "votes": votes}


async def test_it_asks_once_for_everything_and_then_follows_what_is_pushed() -> None:
    line = Line()
    line.known = told(3, question("1", 1))
    talk = Talk(line, "l", ME)
    line.push(2, 3, question("1", 0))  # known by the answer already
    line.push(3, 4, question("1", 2), question("4", 1))
    line.pushed.append(("lesson:phase", {"seq": 9}))
    line.push(4, 5, question("1", 9), lesson_id="another")
    await talk.look()
    await talk.look()
    assert list(talk.all("questions")) == [question("1", 2), question("4", 1)]
    assert talk.one("questions", votes=1) == question("4", 1)
    assert (talk.one("questions", votes=9), talk.one("polls"), line.asked) == (None, None, [0])


async def test_it_asks_for_what_it_missed() -> None:
    line = Line()
    talk = Talk(line, "l", ME)
    await talk.look()
    line.known = told(7, question("6", 1))
    line.push(6, 7, question("7", 1))
    await talk.look()
    assert (line.asked, list(talk.all("questions"))) == ([0, 0], [question("6", 1)])
    line.known = told(9, question("8", 1))
    line.push(8, 9)
    await talk.look()
    assert (line.asked, list(talk.all("questions"))) == ([0, 0, 7], [question("6", 1), question("8", 1)])
