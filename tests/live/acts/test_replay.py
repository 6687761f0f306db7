"""What a replay shows of a lesson's acts: what the pages were told, moment by moment; taken back is taken back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.live.acts.board import BoardActivity, BoardClear, BoardDraw, BoardRedo, BoardShow, BoardUndo
from server.live.acts.port import Act, Activity, Name
from server.live.acts.replay import TOGETHER_MS, moments
from tests.live.acts.desk import TEACHER, Table


@dataclass
class Wall:
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NoteView:
    id: str
    text: str
    by: str


class Notes(Activity[Wall]):
    """Notes on a wall; one that is empty was taken back, one that is whispered only the desk hears."""

    name = "notes"
    commands = ()

    def start(self) -> Wall:
        return Wall()

    def decide(self, state: Wall, command: Any, scene: Any, who: Any) -> Any:
        raise AssertionError("a replay decides nothing")

    def apply(self, state: Wall, act: Act) -> Iterable[str]:
        state.notes[act.body["note"]] = act.body["text"]
        return (str(act.body["note"]),)

    def keys(self, state: Wall) -> Iterable[str]:
        return map(str, state.notes)

    def view(self, state: Wall, key: str, desk: bool, name: Name) -> NoteView | None:
        text = state.notes[int(key)]
        return None if text.startswith("?") and not desk else NoteView(key, text, name("p"))

    def withdrawn(self, state: Wall, key: str) -> bool:
        return not state.notes[int(key)]


def acts(*said: tuple[int, int, str]) -> list[Act]:
    """At such a time, on such a note, such a text."""
    rows = enumerate(said, 1)
    return [Act(seq, at_ms, "notes", "say", "p", {"note": note, "text": text}) for seq, (at_ms, note, text) in rows]


def shown(*said: tuple[int, int, str], desk: bool = False) -> list[tuple[int, int, list[str]]]:
    """Time, act, texts."""
    return [
        (one.at_ms, one.seq, [orjson.loads(orjson.dumps(view))["text"] for view in one.changes["notes"]])
        for one in moments([Notes()], acts(*said), desk=desk, name=lambda _id: "甲")
    ]


def test_each_moment_has_what_it_was_then_whatever_came_later() -> None:
    said = ((1_000, 1, "a"), (2_000, 2, "b"), (3_000, 1, "c"))
    assert shown(*said) == [(1_000, 1, ["a"]), (2_000, 2, ["b"]), (3_000, 3, ["c"])]


def test_what_happens_within_a_look_of_the_player_is_one_moment_in_which_the_newest_state_wins() -> None:
    said = ((1_000, 1, "a"), (1_001, 2, "b"), (1_000 + TOGETHER_MS - 1, 1, "c"), (1_000 + TOGETHER_MS, 1, "d"))
    assert shown(*said) == [(1_000 + TOGETHER_MS - 1, 3, ["b", "c"]), (1_000 + TOGETHER_MS, 4, ["d"])]


def test_what_was_taken_back_was_never_there_for_trainees_and_the_desk_sees_all() -> None:
    said = ((1_000, 1, "an insult"), (2_000, 2, "b"), (3_000, 1, "worse"), (4_000, 1, ""))
    assert shown(*said) == [(2_000, 2, ["b"]), (4_000, 4, [""])]
    assert [texts for *_, texts in shown(*said, desk=True)] == [["an insult"], ["b"], ["worse"], [""]]


def test_what_is_given_back_again_was_not_taken_back() -> None:
    assert [texts for *_, texts in shown((1_000, 1, "a"), (2_000, 1, ""), (3_000, 1, "a"))] == [["a"], [""], ["a"]]


def test_what_is_not_for_trainees_makes_no_moment_of_theirs() -> None:
    said = ((1_000, 1, "?who"), (2_000, 2, "b"))
    assert shown(*said) == [(2_000, 2, ["b"])]
    assert shown(*said, desk=True) == [(1_000, 1, ["?who"]), (2_000, 2, ["b"])]


def test_names_are_as_they_are_now() -> None:
    (one,) = moments([Notes()], acts((1_000, 1, "a")), desk=False, name=lambda _id: "甲")
    assert orjson.loads(orjson.dumps(one.changes["notes"][0])) == {"id": "1", "text": "a", "by": "甲"}


def test_what_is_as_it_was_told_is_not_told_again() -> None:
    said = ((1_000, 1, "a"), (2_000, 1, "a"), (3_000, 1, "b"), (4_000, 1, "a"))
    assert shown(*said) == [(1_000, 1, ["a"]), (3_000, 3, ["b"]), (4_000, 4, ["a"])]


def standing(views: dict[str, Any]) -> Any:
    """The page that is shown and the strokes on it, out of views by id, as web/src/live/board.ts reads them."""
    place = views["shown"]["deck"], views["shown"]["page"]
    cleared = views.get(f"p{place[0]}:{place[1]}", {"cleared": 0})["cleared"]
    drawn = [one for one in views.values() if one["what"] == "stroke" and (one["deck"], one["page"]) == place]
    return place, sorted(one["seq"] for one in drawn if not one["gone"] and one["seq"] > cleared)


def told(*views: Any) -> dict[str, Any]:
    return {one["id"]: one for one in map(orjson.loads, map(orjson.dumps, views))}


def test_a_page_of_the_board_that_is_turned_to_has_the_strokes_of_that_moment_which_are_told_once() -> None:
    table = Table(BoardActivity())

    def show(page: int) -> BoardShow:
        return BoardShow("l", "", page)

    def draw(page: int) -> BoardDraw:
        return BoardDraw("l", "", page, "line", "red", 20, [0, 0, 9, 9])

    late = []
    for command in (
        *(show(1), draw(1), draw(1), show(2), draw(2), draw(1), show(1), BoardUndo("l"), show(2), show(1)),
        *(BoardRedo("l"), BoardClear("l"), draw(1), show(2), show(0), show(1)),
    ):
        table.say(command, TEACHER)
        late.append(standing(told(*table.seen())))
    assert late[6] == (("", 1), [2, 3, 6]), "all that was drawn, also while another page was shown"
    views, count = dict[str, Any](), 0
    found = list(moments([table.activity], table.acts, desk=False, name=str))
    assert len(found) == len(late)
    for one, then in zip(found, late, strict=True):
        views |= told(*one.changes["board"])
        count += sum(view.startswith(b'{"id":"6"') for view in map(orjson.dumps, one.changes["board"]))
        assert standing(views) == then
    assert count == 3, "drawn, undone, back again"
