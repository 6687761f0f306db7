"""Decides the order of a lesson: what is switched on, who is silenced, removed, or waits in the lobby. Pure.

What is switched off for all may be on for one, and the other way round; silence is above both, and only whoever
teaches lifts it. Who was removed can do nothing until readmitted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from server.core.errors import DomainError
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, What, Who

WHATS: Final[tuple[What, ...]] = get_args(What)
#: as a lesson begins: who is called on stage may speak and be seen; drawing and a screen are given by the instructor
DEFAULTS: Final[dict[What, bool]] = {
    "text": True,
    "voice": True,
    "video": True,
    "screen": False,
    "drawing": False,
    "files": True,
}
#: what silence silences: all of it
SILENCED: Final = frozenset(WHATS)
#: why somebody may not come in
OUTSIDE: Final = ("removed_from_lesson", "in_lobby")
#: the key of the order as a whole; of a person it is their id
WHOLE: Final = "all"


@dataclass(frozen=True, slots=True)
class OrderSwitch:
    """`person_id` null: for everybody; `on` null (for one person only): as for everybody."""

    lesson_id: str
    what: What
    on: bool | None
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderSilence:
    lesson_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class OrderRemove:
    lesson_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class OrderReadmit:
    lesson_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class OrderLobby:
    lesson_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class OrderAdmit:
    """`person_id` null: everybody who waits."""

    lesson_id: str
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Knock:
    """A trainee is at the door of a lesson with a lobby; the server says it for them."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What trainees may use; null in the order of one person: as for everybody."""

    text: bool | None
    voice: bool | None
    video: bool | None
    screen: bool | None
    drawing: bool | None
    files: bool | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """The order of everybody (`id` is `all`), or of one person, whom only the desk and they themselves are told of.

    `silence` and `lobby` are of everybody's alone: it changes, not those of each. `waiting`: at the door of the lobby.
    """

    id: str
    name: str
    switches: Switches
    silence: bool
    lobby: bool
    removed: bool
    waiting: bool


@dataclass(slots=True)
class State:
    """Of a lesson's order; an Order for all other activities."""

    switches: dict[What, bool] = field(default_factory=lambda: dict(DEFAULTS))
    own: dict[str, dict[What, bool]] = field(default_factory=dict)
    silence: bool = False
    lobby: bool = False
    waiting: dict[str, int] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def check(self, who: Who, what: What) -> None:
        if who.teaches:
            return
        if who.person_id in self.removed:
            raise DomainError("removed_from_lesson")
        if self.silence and what in SILENCED:
            raise DomainError("silenced")
        if not self.own.get(who.person_id, {}).get(what, self.switches[what]):
            raise DomainError("switched_off", what=what)

    def may(self, who: Who, what: What) -> bool:
        try:
            self.check(who, what)
        except DomainError:
            return False
        return True

    def outside(self, person_id: str) -> str | None:
        """Why somebody may not come in: a code; None: they may."""
        if person_id in self.removed:
            return "removed_from_lesson"
        return "in_lobby" if self.lobby and person_id not in self.admitted else None

    def persons(self) -> list[str]:
        """Of whom there is anything to say."""
        return [*dict.fromkeys((*self.waiting, *self.removed, *self.own))]


class OrderActivity(Activity[State]):
    """课堂秩序."""

    name = "order"
    commands = (
        Says("order:switch", OrderSwitch, "instructor"),
        Says("order:silence", OrderSilence, "instructor"),
        Says("order:remove", OrderRemove, "instructor"),
        Says("order:readmit", OrderReadmit, "instructor"),
        Says("order:lobby", OrderLobby, "instructor"),
        Says("order:admit", OrderAdmit, "instructor"),
    )

    def start(self) -> State:
        return State()

    def decide(self, state: State, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        match command:
            case OrderSwitch():
                return _switch(state, command)
            case OrderSilence(on=on):
                return [Fact("silence", {"on": on})] if on != state.silence else []
            case OrderRemove(person_id=person_id):
                return [Fact("remove", {"person_id": person_id})] if person_id not in state.removed else []
            case OrderReadmit(person_id=person_id):
                return [Fact("readmit", {"person_id": person_id})] if person_id in state.removed else []
            case OrderLobby(on=on):
                return [Fact("lobby", {"on": on})] if on != state.lobby else []
            case OrderAdmit(person_id=person_id):
                wanted = [*state.waiting] if person_id is None else [person_id]
                return [Fact("admit", {"person_id": one}) for one in wanted if one not in state.admitted]
            case Knock():
                waits = state.outside(who.person_id) == "in_lobby" and who.person_id not in state.waiting
                return [Fact("knock")] if waits else []
        raise TypeError(command)

    def apply(self, state: State, act: Act) -> Iterable[str]:  # noqa: C901  a flat match
        body = act.body
        person_id: str = body.get("person_id") or act.actor_id
        match act.kind:
            case "switch" if body["person_id"] is None:
                state.switches[body["what"]] = body["on"]
                return (WHOLE,)
            case "switch":
                own = state.own.setdefault(person_id, {})
                if body["on"] is None:
                    own.pop(body["what"], None)
                else:
                    own[body["what"]] = body["on"]
            case "silence":
                state.silence = body["on"]
                return (WHOLE,)
            case "lobby":
                state.lobby = body["on"]
                return (WHOLE,)
            case "remove":
                state.removed.add(person_id)
                state.waiting.pop(person_id, None)
            case "readmit":
                state.removed.discard(person_id)
                state.admitted.add(person_id)
            case "admit":
                state.admitted.add(person_id)
                state.waiting.pop(person_id, None)
            case "knock":
                state.waiting[person_id] = act.at_ms
        return (person_id,)

    def concerns(self, act: Act) -> str | None:
        """Their own switches."""
        return act.body["person_id"] if act.kind == "switch" else None

    def keys(self, state: State) -> Iterable[str]:
        return (WHOLE, *state.persons())

    def view(self, state: State, key: str, desk: bool, name: Name) -> OrderView | None:
        if key == WHOLE:
            switches = Switches(**state.switches)
            return OrderView(WHOLE, "", switches, state.silence, state.lobby, removed=False, waiting=False)
        return _person(state, key, name) if desk else None

    def mine(self, state: State, person_id: str) -> OrderView | None:
        return _person(state, person_id, lambda _id: "") if person_id in state.own else None


def _switch(state: State, command: OrderSwitch) -> Sequence[Fact]:
    if command.person_id is None:
        if command.on is None:
            raise DomainError("bad_request", field="on", problem="yes or no for everybody")
        known: bool | None = state.switches[command.what]
    else:
        known = state.own.get(command.person_id, {}).get(command.what)
    if known == command.on:
        return []
    return [Fact("switch", {"what": command.what, "on": command.on, "person_id": command.person_id})]


def _person(state: State, person_id: str, name: Name) -> OrderView:
    own = state.own.get(person_id, {})
    return OrderView(
        id=person_id,
        name=name(person_id),
        switches=Switches(**{what: own.get(what) for what in WHATS}),
        silence=False,
        lobby=False,
        removed=person_id in state.removed,
        waiting=person_id in state.waiting,
    )


def order_of(acts: Iterable[Act]) -> State:
    """The order that a lesson's acts make, whichever of them are given."""
    order = OrderActivity()
    state = order.start()
    for act in acts:
        if act.activity == order.name:
            order.apply(state, act)
    return state


def check_inside(acts: Iterable[Act], person_id: str) -> None:
    """Outside nobody reads what is said in a lesson that goes on. Raises DomainError removed_from_lesson, in_lobby."""
    if (code := order_of(acts).outside(person_id)) is not None:
        raise DomainError(code)
