"""The board: what is shown, drawn, undone and cleared; its limits; and that any order of commands ends in what its acts
make, for who was there, who came late and who missed some of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import DomainError
from server.live.acts import board
from server.live.acts.board import (
    STROKES,
    BoardActivity,
    BoardClear,
    BoardDraw,
    BoardRedo,
    BoardShow,
    BoardUndo,
    State,
)
from server.live.acts.order import State as Order
from server.live.acts.port import Act, Scene, Who

BOARD = BoardActivity()
TEACHER, JIA, YI = Who("teacher", True), Who("jia"), Who("yi")
DECK = "0123456789abcdef"


def name(_person_id: str) -> str:
    return ""


@dataclass
class Pages:
    """What a page knows: views by id, as web/src/live/board.ts reads them."""

    views: dict[str, Any] = field(default_factory=dict)

    def take(self, views: Sequence[Any]) -> None:
        self.views |= {one.id: one for one in views}

    def seen(self) -> Any:
        """What stands on the page that is shown."""
        shown = self.views["shown"]
        place = (shown.deck, shown.page)
        about = self.views[f"p{shown.deck}:{shown.page}"]
        strokes = [one for one in self.views.values() if one.what == "stroke" and (one.deck, one.page) == place]
        drawn = [one for one in strokes if not one.gone and one.seq > about.cleared]
        return place, sorted(drawn, key=lambda one: int(one.seq))


@dataclass
class Room:
    """A board with somebody who watches from the beginning, and the acts behind it."""

    state: State = field(default_factory=BOARD.start)
    acts: list[Act] = field(default_factory=list)
    order: Order = field(default_factory=Order)
    watcher: Pages = field(default_factory=Pages)
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.watcher.take(everything(self.state))

    def do(self, command: Any, who: Who = TEACHER) -> int:
        """How many acts it led to."""
        facts = BOARD.decide(self.state, command, Scene(self.now_ms, self.order), who)
        for fact in facts:
            act = Act(len(self.acts) + 1, self.now_ms, "board", fact.kind, who.person_id, fact.body)
            keys = list(BOARD.apply(self.state, act))
            self.watcher.take([BOARD.view(self.state, key, False, name) for key in keys])
            self.acts.append(act)
        return len(facts)

    def seqs(self) -> list[int]:
        """The strokes that stand on the page that is shown."""
        return [one.seq for one in self.watcher.seen()[1]]

    def code(self, command: Any, who: Who = TEACHER) -> str:
        with pytest.raises(DomainError) as refused:
            self.do(command, who)
        return refused.value.code


def everything(state: State) -> list[Any]:
    return [BOARD.view(state, key, False, name) for key in BOARD.keys(state)]


def show(page: int, deck: str = "") -> BoardShow:
    return BoardShow("l", deck, page)


def draw(page: int = 1, deck: str = "", shape: Any = "line", points: Sequence[int] = (0, 0, 9, 9), **more: Any) -> Any:
    return BoardDraw("l", deck, page, shape, "red", 20, list(points), **more)


def test_at_first_there_is_no_board() -> None:
    room = Room()
    assert [(one.id, one.page) for one in everything(room.state)] == [("shown", 0)]
    assert room.do(BoardUndo("l")) == room.do(BoardRedo("l")) == room.do(BoardClear("l")) == 0
    assert room.code(draw()) == "bad_request"


def test_each_page_keeps_what_was_drawn_on_it() -> None:
    room = Room()
    room.do(show(1))
    room.do(draw(1))
    room.do(show(7, DECK))
    assert room.seqs() == []
    room.do(draw(7, DECK))
    room.do(draw(1), TEACHER), "a stroke that ends after the page was turned goes where it was begun"
    assert room.seqs() == [4]
    room.do(show(1))
    assert room.seqs() == [2, 5]
    assert room.do(show(1)) == 0, "it is shown"
    room.do(show(0))
    assert [one.page for one in everything(room.state)] == [0]
    room.do(show(7, DECK))
    assert room.seqs() == [4]


def test_undo_and_redo_are_of_who_drew() -> None:
    room = Room()
    room.order.switches["drawing"] = True
    room.do(show(1))
    for who in (TEACHER, JIA, TEACHER, JIA):
        room.do(draw(), who)
    assert room.seqs() == [2, 3, 4, 5]
    assert room.do(BoardUndo("l"), JIA) == 1
    assert room.seqs() == [2, 3, 4]
    assert room.do(BoardUndo("l"), JIA) == 1
    assert room.do(BoardUndo("l"), JIA) == 0, "nothing of theirs is left"
    assert room.seqs() == [2, 4]
    assert room.do(BoardRedo("l"), TEACHER) == 0, "nothing of theirs was undone"
    assert room.do(BoardRedo("l"), JIA) == 1
    assert room.seqs() == [2, 3, 4], "what was undone last comes back first"
    room.do(draw(), JIA)
    assert room.do(BoardRedo("l"), JIA) == 0, "who draws anew has nothing to redo"
    assert room.seqs() == [2, 3, 4, 9]


def test_a_page_is_cleared_for_all_and_for_good() -> None:
    room = Room()
    room.do(show(1))
    room.do(draw())
    assert room.do(BoardClear("l")) == 1
    assert room.seqs() == []
    assert room.do(BoardUndo("l")) == room.do(BoardRedo("l")) == room.do(BoardClear("l")) == 0
    room.do(draw())
    assert room.seqs() == [4]


def test_trainees_draw_while_drawing_is_on_for_them() -> None:
    room = Room()
    room.do(show(1))
    assert room.code(draw(), JIA) == "switched_off"
    room.order.own["jia"] = {"drawing": True}
    assert room.do(draw(), JIA) == 1
    assert room.code(draw(), YI) == "switched_off"
    room.order.silence = True
    assert room.code(draw(), JIA) == room.code(BoardUndo("l"), JIA) == room.code(BoardRedo("l"), JIA) == "silenced"
    assert room.do(draw()) == 1, "who teaches is never silenced"


def test_a_trainee_draws_undoes_and_redoes_only_so_fast() -> None:
    room = Room()
    room.do(show(1))
    room.order.own["jia"] = room.order.own["yi"] = {"drawing": True}
    turns: list[Any] = [draw(), BoardUndo("l"), BoardRedo("l")]
    assert [room.do(turns[at % 3], JIA) for at in range(STROKES.most)] == [1] * STROKES.most
    assert {room.code(one, JIA) for one in (draw(), BoardUndo("l"))} == {"slow_down"}
    assert room.do(draw(), YI) == 1
    assert [room.do(draw()) for _ in range(STROKES.most + 1)][-1] == 1, "who teaches draws as they like"
    room.now_ms = STROKES.within_ms - 1
    assert room.code(draw(), JIA) == "slow_down"
    room.now_ms += 1
    assert room.do(draw(), JIA) == 1


@pytest.mark.parametrize(
    ("shape", "points", "fine"),
    [
        ("pen", 1, True),
        ("pen", 2_000, True),
        ("pen", 2_001, False),
        ("pen", 0, False),
        ("highlighter", 3, True),
        ("line", 2, True),
        ("line", 1, False),
        ("line", 3, False),
        ("arrow", 2, True),
        ("rectangle", 2, True),
        ("ellipse", 3, False),
        ("text", 1, True),
        ("text", 2, False),
    ],
)
def test_each_shape_has_its_points(shape: str, points: int, fine: bool) -> None:
    room = Room()
    room.do(show(1))
    one = draw(shape=shape, points=[5] * (2 * points), text="a")
    assert (room.do(one) == 1) if fine else (room.code(one) == "bad_request")


@pytest.mark.parametrize(
    ("change", "fine"),
    [
        ({"points": [0, 0, 10_000, 10_000]}, True),
        ({"points": [0, 0, 10_001, 0]}, False),
        ({"points": [-1, 0, 0, 0]}, False),
        ({"width": 1}, True),
        ({"width": 1_000}, True),
        ({"width": 0}, False),
        ({"width": 1_001}, False),
        ({"deck": "0123456789ABCDEF"}, False),
        ({"deck": "x"}, False),
        ({"page": 301}, False),
    ],
)
def test_what_lies_beside_the_page_is_refused(change: dict[str, Any], fine: bool) -> None:
    room = Room()
    room.do(show(1))
    one = replace(draw(), **change)
    assert (room.do(one) == 1) if fine else (room.code(one) == "bad_request")


@pytest.mark.parametrize(("deck", "page"), [("x", 1), (DECK.upper(), 1), (DECK + "\n", 1), (DECK, 301), (DECK, -1)])
def test_what_is_no_page_is_not_shown(deck: str, page: int) -> None:
    assert Room().code(show(page, deck)) == "bad_request"


def test_points_come_in_pairs_and_a_text_says_something() -> None:
    room = Room()
    room.do(show(1))
    assert room.code(draw(shape="pen", points=[1, 2, 3])) == "bad_request"
    assert room.code(draw(shape="text", points=[1, 2], text="  ")) == "text_missing"
    assert room.do(draw(shape="text", points=[1, 2], text="字" * board.MOST_LETTERS)) == 1
    assert room.code(draw(shape="text", points=[1, 2], text="字" * (board.MOST_LETTERS + 1))) == "bad_request"
    room.do(draw(text="not of a line"))
    assert room.acts[-1].body["text"] == ""


def test_the_largest_stroke_is_a_small_row() -> None:
    room = Room()
    room.do(show(300, DECK))
    widest = [board.MOST_XY] * (2 * board.MOST_POINTS)
    room.do(BoardDraw("l", DECK, 300, "highlighter", "violet", 1_000, widest))
    assert len(orjson.dumps(room.acts[-1].body)) < 32 << 10
    room.do(BoardDraw("l", DECK, 300, "text", "violet", 1_000, [1, 1], "字" * board.MOST_LETTERS))
    assert len(orjson.dumps(room.acts[-1].body)) < 32 << 10


def test_a_page_takes_so_many_strokes() -> None:
    room = Room()
    room.do(show(1))
    for _ in range(board.MOST_STROKES):
        room.do(draw())
    assert room.code(draw()) == "board_full"
    room.do(BoardUndo("l"))
    assert room.code(draw()) == "board_full", "what may come back still has its place"
    room.do(show(2))
    assert room.do(draw(2)) == 1
    room.do(show(1))
    room.do(BoardClear("l"))
    assert room.do(draw()) == 1


def test_a_page_takes_so_many_points() -> None:
    room = Room()
    room.do(show(1))
    for _ in range(board.MOST_PAGE_POINTS // board.MOST_POINTS):
        room.do(draw(shape="pen", points=[1] * (2 * board.MOST_POINTS)))
    assert room.state.shown.points == board.MOST_PAGE_POINTS
    assert room.code(draw(shape="pen", points=[1, 1])) == "board_full"


def test_a_board_takes_so_many_pages() -> None:
    room = Room()
    assert room.do(show(board.MOST_BLANK)) == 1
    assert room.code(show(board.MOST_BLANK + 1)) == "board_full"
    for number in range(board.MOST_PAGES - 1):
        room.do(show(number % 300 + 1, f"{number // 300:016x}"))
    assert len(room.state.pages) == board.MOST_PAGES
    assert room.code(show(1, "f" * 16)) == "board_full"
    assert room.do(show(1, f"{0:016x}")) == 1


WHO = st.sampled_from([TEACHER, JIA, YI])
PLACE = st.tuples(st.integers(1, 3), st.sampled_from(["", DECK]))
COMMANDS = st.one_of(
    st.builds(lambda place: (show(*place), TEACHER), PLACE),
    st.just((show(0), TEACHER)),
    st.builds(lambda place, who: (draw(*place), who), PLACE, WHO),
    st.builds(lambda place, who: (draw(*place), who), PLACE, WHO),
    st.builds(lambda who: (BoardUndo("l"), who), WHO),
    st.builds(lambda who: (BoardRedo("l"), who), WHO),
    st.just((BoardClear("l"), TEACHER)),
)


@given(st.lists(COMMANDS, max_size=40), st.integers(0, 40))
def test_any_order_of_commands_ends_in_what_its_acts_make(commands: list[Any], missed: int) -> None:
    """Who watched all of it, who comes late, who missed the last acts, and who reads the acts alone see the same."""
    room = Room()
    room.order.switches["drawing"] = True
    for command, who in commands:
        with suppress(DomainError):  # of a page that was not shown
            room.do(command, who)
    late = Pages()
    late.take(everything(room.state))
    again, back = BOARD.start(), Pages()
    back.take(everything(again))
    changed: dict[str, None] = {}
    for act in room.acts:
        keys = list(BOARD.apply(again, act))
        if act.seq <= missed:
            back.take([BOARD.view(again, key, False, name) for key in keys])
        else:
            changed |= dict.fromkeys(keys)
    back.take([BOARD.view(again, key, False, name) for key in changed])
    assert again == room.state
    if room.state.page:
        assert room.watcher.seen() == late.seen() == back.seen()
        standing = [one.seq for one in room.state.shown.strokes.values() if not one.gone]
        assert room.seqs() == standing
    assert sum(len(page.strokes) for page in room.state.pages.values()) == len(room.state.where)
    for page in room.state.pages.values():
        assert page.points == sum(len(one.body["points"]) // 2 for one in page.strokes.values())


@given(st.lists(st.sampled_from([BoardUndo("l"), BoardRedo("l")]), max_size=12))
def test_undo_and_redo_undo_each_other(steps: list[Any]) -> None:
    room = Room()
    room.do(show(1))
    for _ in range(4):
        room.do(draw())
    standing = 4
    for step in steps:
        standing += room.do(step) * (1 if isinstance(step, BoardRedo) else -1)
        assert room.seqs() == [2, 3, 4, 5][:standing]
