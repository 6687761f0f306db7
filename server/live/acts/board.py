"""Decides what is on the board of a lesson: which page of which slides is shown, and what is drawn on each. Pure.

Drawing is vectors in the page's own measure (0 to 10,000 each way), so it fits every screen. Each page keeps what was
drawn on it. Who drew something may undo it; the page as a whole is cleared by whoever teaches.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from server.core.errors import DomainError
from server.live.acts.pace import Limit, Pace
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, Who, text

#: both ways across a page
MOST_XY: Final = 10_000
MOST_POINTS: Final = 2_000
MOST_STROKES: Final = 1_000
#: of all that is drawn on a page: whoever comes late gets them at once
MOST_PAGE_POINTS: Final = 60_000
MOST_LETTERS: Final = 300
#: what one trainee draws, undoes and redoes: each is an act for ever
STROKES: Final = Limit(60, 10_000)
#: pages that one lesson's board remembers, and of the whiteboard among them
MOST_PAGES: Final = 1_500
MOST_BLANK: Final = 50
#: what a page's key begins with; what is shown has one key, and a stroke its act's number
PAGE: Final = "p"
SHOWN: Final = "shown"

Shape = Literal["pen", "highlighter", "line", "rectangle", "ellipse", "arrow", "text"]
#: names, not colours: a page chooses what can be seen on its ground
Colour = Literal["ink", "red", "amber", "green", "blue", "violet"]
FREE: Final = frozenset({"pen", "highlighter"})
#: the id of a file; "": the whiteboard
DECK: Final = re.compile(r"([0-9a-f]{16})?")
#: pages of one deck, and how wide a pen may be
MOST_OF_DECK: Final = 300
MOST_WIDTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class BoardShow:
    """`page` 0: no board at all."""

    lesson_id: str
    deck: str
    page: int


@dataclass(frozen=True, slots=True)
class BoardDraw:
    """`points`: x and y in turn; two points of a line and the like, one where a text begins. `width` as x."""

    lesson_id: str
    deck: str
    page: int
    shape: Shape
    colour: Colour
    width: int
    points: list[int]
    text: str = ""


@dataclass(frozen=True, slots=True)
class BoardUndo:
    """The last thing that this person drew on the page that is shown."""

    lesson_id: str


@dataclass(frozen=True, slots=True)
class BoardRedo:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class BoardClear:
    """Everything on the page that is shown, whoever drew it."""

    lesson_id: str


@dataclass(frozen=True, slots=True)
class BoardShown:
    """What everybody sees; its `id` is `shown`. `page` 0: no board."""

    id: str
    what: Literal["shown"]
    deck: str
    page: int


@dataclass(frozen=True, slots=True)
class BoardPage:
    """`cleared`: what was drawn on this page before that act is gone."""

    id: str
    what: Literal["page"]
    deck: str
    page: int
    cleared: int


@dataclass(frozen=True, slots=True)
class BoardStroke:
    """Something drawn by act `seq`; `gone`: undone, and it may come back."""

    id: str
    what: Literal["stroke"]
    seq: int
    deck: str
    page: int
    by: str
    shape: Shape
    colour: Colour
    width: int
    points: list[int]
    text: str
    gone: bool


#: a page of a deck
Place = tuple[str, int]


@dataclass(slots=True)
class Stroke:
    seq: int
    by: str
    body: Any
    gone: bool = False


@dataclass(slots=True)
class Page:
    """What is drawn on it, in order; what is gone waits for a redo until its drawer draws anew. `points`: of all."""

    strokes: dict[int, Stroke] = field(default_factory=dict)
    cleared: int = 0
    points: int = 0


@dataclass(slots=True)
class State:
    """`where`: on which page each stroke is."""

    deck: str = ""
    page: int = 0
    pages: dict[Place, Page] = field(default_factory=dict)
    where: dict[int, Place] = field(default_factory=dict)
    pace: Pace = field(default_factory=lambda: Pace(STROKES))

    @property
    def shown(self) -> Page:
        """The page that is shown. Raises KeyError without a board."""
        return self.pages[self.deck, self.page]


class BoardActivity(Activity[State]):
    """课件与白板."""

    name = "board"
    commands = (
        Says("board:show", BoardShow, "instructor", ("board_full",)),
        Says("board:draw", BoardDraw, "both", ("board_full", "text_missing", "slow_down")),
        Says("board:undo", BoardUndo, "both", ("slow_down",)),
        Says("board:redo", BoardRedo, "both", ("slow_down",)),
        Says("board:clear", BoardClear, "instructor"),
    )

    def start(self) -> State:
        return State()

    def decide(self, state: State, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        match command:
            case BoardShow():
                return _show(state, command)
            case BoardClear():
                return [Fact("clear")] if state.page and state.shown.strokes else []
        scene.order.check(who, "drawing")
        if not who.teaches:
            state.pace.check(who.person_id, scene.now_ms)
        match command:
            case BoardDraw():
                return [_draw(state, command)]
            case BoardUndo():
                return _turn("undo", _newest(state, who.person_id))
            case _:
                return _turn("redo", _oldest_gone(state, who.person_id))

    def apply(self, state: State, act: Act) -> Iterable[str]:
        if act.kind in ("draw", "undo", "redo"):
            state.pace.note(act.actor_id, act.at_ms)
        match act.kind:
            case "show":
                return _shown(state, act.body["deck"], act.body["page"])
            case "draw":
                return _drawn(state, act)
            case "clear":
                return _cleared(state, act.seq)
            case _:
                return _turned(state, act.body["seq"], act.kind == "undo")

    def spoke(self, act: Act) -> bool:
        return act.kind == "draw"

    def keys(self, state: State) -> Iterable[str]:
        yield SHOWN
        if state.page:
            yield _key(state.deck, state.page)
            yield from map(str, state.shown.strokes)

    def view(self, state: State, key: str, desk: bool, name: Name) -> BoardShown | BoardPage | BoardStroke:
        if key == SHOWN:
            return BoardShown(SHOWN, "shown", state.deck, state.page)
        if key.startswith(PAGE):
            deck, _, page = key.removeprefix(PAGE).partition(":")
            return BoardPage(key, "page", deck, int(page), state.pages[deck, int(page)].cleared)
        seq = int(key)
        place = state.where.get(seq)
        if place is None:  # cleared, or undone for good
            return BoardStroke(key, "stroke", seq, "", 0, "", "pen", "ink", 1, [], "", True)
        one = state.pages[place].strokes[seq]
        drawn: Any = {name: one.body[name] for name in ("shape", "colour", "width", "points", "text")}
        if one.gone:
            drawn |= {"points": [], "text": ""}
        return BoardStroke(key, "stroke", seq, *place, one.by, **drawn, gone=one.gone)


def _show(state: State, command: BoardShow) -> Sequence[Fact]:
    place = checked_place(command.deck, command.page)
    if place == (state.deck, state.page):
        return []
    if command.page and not command.deck and command.page > MOST_BLANK:
        raise DomainError("board_full", most=MOST_BLANK)
    if command.page and place not in state.pages and len(state.pages) >= MOST_PAGES:
        raise DomainError("board_full", most=MOST_PAGES)
    return [Fact("show", {"deck": command.deck if command.page else "", "page": command.page})]


def checked_place(deck: str, page: int) -> Place:
    """A page that there can be. Raises DomainError bad_request."""
    if not DECK.fullmatch(deck):
        raise DomainError("bad_request", field="deck", problem="the id of a file, or nothing")
    if not 0 <= page <= MOST_OF_DECK:
        raise DomainError("bad_request", field="page", problem=f"0 to {MOST_OF_DECK}")
    return deck, page


def checked_drawing(width: int, points: Sequence[int], most: int) -> None:
    """Raises DomainError bad_request for what lies beside the page, and for more than `most` points."""
    if not 1 <= width <= MOST_WIDTH:
        raise DomainError("bad_request", field="width", problem=f"1 to {MOST_WIDTH}")
    if len(points) % 2 or len(points) > 2 * most:
        raise DomainError("bad_request", field="points", problem=f"x and y in turn, at most {most} times")
    if points and not 0 <= min(points) <= max(points) <= MOST_XY:
        raise DomainError("bad_request", field="points", problem=f"0 to {MOST_XY}")


def _draw(state: State, command: BoardDraw) -> Fact:
    page = state.pages.get(checked_place(command.deck, command.page))
    if page is None:
        raise DomainError("bad_request", field="page", problem="this page was not shown")
    checked_drawing(command.width, command.points, MOST_POINTS)
    count = len(command.points)
    if not count or (command.shape not in FREE and count != (2 if command.shape == "text" else 4)):
        raise DomainError("bad_request", field="points", problem="not as many as this shape has")
    if len(page.strokes) >= MOST_STROKES or page.points + count // 2 > MOST_PAGE_POINTS:
        raise DomainError("board_full", most=MOST_STROKES)
    said = text(command.text, MOST_LETTERS) if command.shape == "text" else ""
    about = {"shape": command.shape, "colour": command.colour, "width": command.width, "text": said}
    return Fact("draw", {"deck": command.deck, "page": command.page, "points": command.points, **about})


def _turn(kind: str, one: Stroke | None) -> Sequence[Fact]:
    return [Fact(kind, {"seq": one.seq})] if one is not None else []


def _own(state: State, person_id: str, gone: bool) -> list[Stroke]:
    if not state.page:
        return []
    return [one for one in state.shown.strokes.values() if one.by == person_id and one.gone is gone]


def _newest(state: State, person_id: str) -> Stroke | None:
    return next(reversed(_own(state, person_id, gone=False)), None)


def _oldest_gone(state: State, person_id: str) -> Stroke | None:
    """What was undone last: undoing goes from the newest on."""
    return next(iter(_own(state, person_id, gone=True)), None)


def _shown(state: State, deck: str, page: int) -> Iterable[str]:
    """Whoever has not been on this page yet needs all of it."""
    state.deck, state.page = deck, page
    if not page:
        return [SHOWN]
    known = state.pages.setdefault((deck, page), Page())
    return [_key(deck, page), *map(str, known.strokes), SHOWN]


def _drawn(state: State, act: Act) -> Iterable[str]:
    place = (act.body["deck"], act.body["page"])
    page = state.pages[place]
    lost = [one.seq for one in page.strokes.values() if one.by == act.actor_id and one.gone]
    for seq in lost:
        page.points -= len(page.strokes.pop(seq).body["points"]) // 2
        del state.where[seq]
    page.strokes[act.seq] = Stroke(act.seq, act.actor_id, act.body)
    page.points += len(act.body["points"]) // 2
    state.where[act.seq] = place
    return [*map(str, lost), str(act.seq)]


def _turned(state: State, seq: int, gone: bool) -> Iterable[str]:
    state.pages[state.where[seq]].strokes[seq].gone = gone
    return [str(seq)]


def _cleared(state: State, seq: int) -> Iterable[str]:
    page = state.shown
    for one in page.strokes:
        del state.where[one]
    state.pages[state.deck, state.page] = Page(cleared=seq)
    return [_key(state.deck, state.page)]


def _key(deck: str, page: int) -> str:
    return f"{PAGE}{deck}:{page}"
