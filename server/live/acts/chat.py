"""Decides what is said in a lesson's chat: lines, who is mentioned, how fast, what is hidden or pinned. Pure.

A hidden line stays in the record and at the desk; peers see that something was hidden. Whoever overlooks the lesson
writes without a pace, everybody else at most five lines in ten seconds, and slower where the instructor says so.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from server.core.errors import DomainError
from server.live.acts.pace import Limit, Pace, once, wait
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, Who, text

TEXT_MOST: Final = 500
#: of one person
LINES: Final = Limit(5, 10_000)
#: one line in so many seconds of each trainee, at the slowest
SLOWEST_S: Final = 300
MENTIONS_MOST: Final = 10
#: characters of a person's id
ID_LENGTH: Final = 16
FILE_ID: Final = re.compile("[0-9a-f]{16}")
#: lines that a page gets at first
PAGE_LINES: Final = 200
#: and more at a time, when it asks for older ones
OLDER_LINES: Final = 50
#: the key of what is true of the chat as a whole
ROOM: Final = "room"


@dataclass(frozen=True, slots=True)
class ChatSay:
    """`mentions`: the people that the text speaks to. `file`: one that this person gave to this lesson's chat; the
    text may be empty then."""

    lesson_id: str
    text: str
    mentions: list[str] = field(default_factory=list)
    file: str | None = None


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A file that came with a line; `kind` by its content, as a name ends (`pdf`), `size` in bytes."""

    id: str
    name: str
    size: int
    kind: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A line and what was found of the file that it names; None: this person gave no such file to this chat."""

    say: ChatSay
    file: ChatFile | None


@dataclass(frozen=True, slots=True)
class ChatHide:
    lesson_id: str
    line: str
    on: bool


@dataclass(frozen=True, slots=True)
class ChatPin:
    """At most one line is pinned; null: none."""

    lesson_id: str
    line: str | None


@dataclass(frozen=True, slots=True)
class ChatSlow:
    """A trainee writes one line in so many seconds; 0: as fast as ever."""

    lesson_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class ChatView:
    """A line, or with the id `room` what is true of the chat: `slow_s`, and which line is `pinned` (its id).

    `teaches`: the instructor's. `mentions`: the ids of whom it speaks to. A hidden one has no text and no file
    for peers.
    """

    id: str
    at_ms: int = 0
    author_id: str = ""
    author: str = ""
    teaches: bool = False
    text: str = ""
    mentions: list[str] = field(default_factory=list)
    file: ChatFile | None = None
    hidden: bool = False
    pinned: str | None = None
    slow_s: int = 0


@dataclass(slots=True)
class Line:
    """What somebody said."""

    id: str
    at_ms: int
    author_id: str
    teaches: bool
    text: str
    mentions: tuple[str, ...]
    file: ChatFile | None
    hidden: bool = False


@dataclass(slots=True)
class State:
    """All lines in order."""

    lines: dict[str, Line] = field(default_factory=dict)
    pinned: str | None = None
    slow_s: int = 0
    pace: Pace = field(default_factory=lambda: Pace(LINES))


class Chat(Activity[State]):
    """讨论."""

    name = "chat"
    commands = (
        Says("chat:say", ChatSay, "both", ("text_missing", "silenced", "switched_off", "slow_down", "not_found")),
        Says("chat:hide", ChatHide, "instructor", ("not_found",)),
        Says("chat:pin", ChatPin, "instructor", ("not_found", "line_hidden")),
        Says("chat:slow", ChatSlow, "instructor"),
    )

    def start(self) -> State:
        return State()

    def decide(self, state: State, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        match command:
            case ChatSay():
                return _say(state, Saying(command, None), scene, who)
            case Saying():
                return _say(state, command, scene, who)
            case ChatHide():
                one = _line(state, command.line)
                return () if one.hidden == command.on else [Fact("hidden", {"line": one.id, "on": command.on})]
            case ChatPin():
                return _pin(state, command)
            case ChatSlow():
                return _slow(state, command)
        raise TypeError(command)

    def apply(self, state: State, act: Act) -> Iterable[str]:
        match act.kind:
            case "said":
                return _said(state, act)
            case "hidden":
                one = state.lines[act.body["line"]]
                one.hidden = act.body["on"]
                if one.hidden and state.pinned == one.id:
                    state.pinned = None
                    return (one.id, ROOM)
                return (one.id,)
            case "pinned":
                state.pinned = act.body["line"]
                return (ROOM,) if state.pinned is None else (state.pinned, ROOM)
            case "slowed":
                state.slow_s = act.body["seconds"]
        return (ROOM,)

    def spoke(self, act: Act) -> bool:
        return act.kind == "said"

    def keys(self, state: State) -> Iterable[str]:
        """The last ones, and the pinned one wherever it is."""
        last = newest(state, PAGE_LINES)
        first = [] if state.pinned is None or state.pinned in last else [state.pinned]
        return [ROOM, *first, *last]

    def view(self, state: State, key: str, desk: bool, name: Name) -> ChatView:
        if key == ROOM:
            return ChatView(ROOM, pinned=state.pinned, slow_s=state.slow_s)
        one = state.lines[key]
        silent = one.hidden and not desk
        return ChatView(
            id=one.id,
            at_ms=one.at_ms,
            author_id=one.author_id,
            author=name(one.author_id),
            teaches=one.teaches,
            text="" if silent else one.text,
            mentions=[] if silent else list(one.mentions),
            file=None if silent else one.file,
            hidden=one.hidden,
        )

    def withdrawn(self, state: State, key: str) -> bool:
        return key != ROOM and state.lines[key].hidden


def newest(state: State, most: int, before: int | None = None) -> list[str]:
    """The ids of the last lines, in order; with `before` those that were said before that one."""
    back = (key for key in reversed(state.lines) if before is None or int(key) < before)
    return list(islice(back, most))[::-1]


def _say(state: State, saying: Saying, scene: Scene, who: Who) -> Sequence[Fact]:
    command = saying.say
    scene.order.check(who, "text")
    given = _given(saying, scene, who)
    bare = given is not None and not command.text.strip()
    found = "" if bare else text(command.text, TEXT_MOST)
    if not who.teaches:
        state.pace.check(who.person_id, scene.now_ms)
        last = state.pace.last_ms(who.person_id)
        if state.slow_s and last is not None:
            wait(last + state.slow_s * 1000 - scene.now_ms)
    body: dict[str, Any] = {"text": found}
    if mentions := _mentioned(command, who):
        body["mentions"] = mentions
    if given is not None:
        body["file"] = {"id": given.id, "name": given.name, "size": given.size, "kind": given.kind}
    if who.teaches:
        body["teaches"] = True
    return [Fact("said", body)]


def _given(saying: Saying, scene: Scene, who: Who) -> ChatFile | None:
    """The file that comes with a line, if one is to. Raises DomainError not_found, and what the order refuses."""
    if saying.say.file is None:
        return None
    scene.order.check(who, "files")
    if not FILE_ID.fullmatch(saying.say.file):
        raise DomainError("bad_request", field="file", problem="the id of a file")
    if saying.file is None:
        raise DomainError("not_found")
    return saying.file


def _mentioned(command: ChatSay, who: Who) -> list[str]:
    """Everybody once, and not oneself."""
    if len(command.mentions) > MENTIONS_MOST or any(len(one) != ID_LENGTH for one in command.mentions):
        raise DomainError("bad_request", field="mentions", problem=f"at most {MENTIONS_MOST} people")
    return [one for one in once(command.mentions) if one != who.person_id]


def _slow(state: State, command: ChatSlow) -> Sequence[Fact]:
    if not 0 <= command.seconds <= SLOWEST_S:
        raise DomainError("bad_request", field="seconds", problem=f"at most {SLOWEST_S}")
    return () if state.slow_s == command.seconds else [Fact("slowed", {"seconds": command.seconds})]


def _pin(state: State, command: ChatPin) -> Sequence[Fact]:
    if command.line is not None and _line(state, command.line).hidden:
        raise DomainError("line_hidden")
    return () if state.pinned == command.line else [Fact("pinned", {"line": command.line})]


def _line(state: State, key: str) -> Line:
    found = state.lines.get(key)
    if found is None:
        raise DomainError("not_found")
    return found


def _said(state: State, act: Act) -> Iterable[str]:
    key, body = str(act.seq), act.body
    file = body.get("file")
    state.lines[key] = Line(
        key,
        act.at_ms,
        act.actor_id,
        body.get("teaches", False),
        body["text"],
        tuple(body.get("mentions", ())),
        ChatFile(**file) if file else None,
    )
    state.pace.note(act.actor_id, act.at_ms)
    return (key,)
