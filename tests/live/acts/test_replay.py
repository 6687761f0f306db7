"""What a replay shows of a lesson's acts: what the pages were told, moment by moment; taken back is taken back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.live.acts.port import Act, Activity, Name
from server.live.acts.replay import TOGETHER_MS, moments


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
