"""Decides who is on stage (连麦): hands in a fair line, invitations that lapse, what a guest may send, who comes down.

The line: who has not been on stage comes before who has, and of those who have been equally often, whoever raised a
hand first. An invitation is answered within a minute or lapses. Each time that somebody comes on stage it is a guest of
its own, numbered as invitations are: so is their media room, and nothing of an earlier time opens it. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from server.core.clock import iso
from server.core.errors import DomainError
from server.live.acts.pace import Limit, Pace
from server.live.acts.port import Act, Activity, Fact, Name, Order, Says, Scene, Who

#: on stage or invited at a time, beside whoever teaches
MOST_GUESTS: Final = 4
INVITED_MS: Final = 60_000
#: a hand is not raised again sooner
HAND_PAUSE_MS: Final = 2_000
#: a guest's own voice and picture, on and off
SWITCHES: Final = Limit(10, 10_000)

INVITE_CODES: Final = ("lesson_not_live", "stage_full", "silenced", "switched_off", "removed_from_lesson")

Person = Annotated[str, Field(max_length=16)]
Number = Annotated[int, Field(ge=1)]
Where = Literal["", "invited", "on"]
#: why somebody came down, or never came up
Why = Literal["declined", "lapsed", "left", "taken_down", "lost", "removed", "over"]


@dataclass(frozen=True, slots=True)
class StageRaise:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class StageLower:
    """`person_id`: whose hand, by whoever teaches; null: one's own, or all of them."""

    lesson_id: str
    person_id: Person | None = None


@dataclass(frozen=True, slots=True)
class StageInvite:
    lesson_id: str
    person_id: Person


@dataclass(frozen=True, slots=True)
class StageAccept:
    """Cameras and microphones were tried; `picture` false: with the voice alone."""

    lesson_id: str
    number: Number
    picture: bool


@dataclass(frozen=True, slots=True)
class StageLeave:
    """Down from the stage, or no to an invitation."""

    lesson_id: str
    number: Number


@dataclass(frozen=True, slots=True)
class StageSwitch:
    """What of themselves a guest sends. Off is off in the forwarder, not only in the page."""

    lesson_id: str
    voice: bool
    picture: bool


@dataclass(frozen=True, slots=True)
class StageTakeDown:
    """Down at once; an invitation is taken back."""

    lesson_id: str
    person_id: Person


@dataclass(frozen=True, slots=True)
class StageSilence:
    """A guest's voice goes no further than the forwarder until it is taken back."""

    lesson_id: str
    person_id: Person
    on: bool


@dataclass(frozen=True, slots=True)
class Settle:
    """The order of the lesson has changed; the server says it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A person's page has left, or their media is gone for too long; the server says it."""

    person_id: str
    why: Why


@dataclass(frozen=True, slots=True)
class Over:
    """The lesson is over; the server says it."""


@dataclass(frozen=True, slots=True)
class StageView:
    """A person as the stage sees them. `hand`: the act that raised it, null: it is down. `turns`: on stage before.

    `number` of the invitation, `at` when it was made or accepted. `voice`, `picture`: what is sent on of theirs;
    `own_voice`, `own_picture`: what they have switched on; `may_*`: what the order allows. `why`: why they came down
    last. Who is on stage is watched in the media room `{lesson_id}-{number}`.
    """

    id: str
    name: str
    hand: int | None
    turns: int
    where: Where
    number: int
    at: str | None
    voice: bool
    picture: bool
    own_voice: bool
    own_picture: bool
    may_voice: bool
    may_picture: bool
    silenced: bool
    why: Why | None


@dataclass(slots=True)
class Guest:
    """Somebody who was invited or is on stage."""

    person_id: str
    number: int
    at_ms: int
    on: bool = False
    own_voice: bool = True
    own_picture: bool = False
    may_voice: bool = True
    may_picture: bool = True
    silenced: bool = False

    @property
    def voice(self) -> bool:
        """Whether their voice is sent on."""
        return self.own_voice and self.may_voice and not self.silenced

    @property
    def picture(self) -> bool:
        """Whether their picture is sent on."""
        return self.own_picture and self.may_picture


@dataclass(slots=True)
class State:
    """By person. `hands`: the act that raised each; `raised_ms`: when they last did; `whys`: why they came down."""

    hands: dict[str, int] = field(default_factory=dict)
    raised_ms: dict[str, int] = field(default_factory=dict)
    guests: dict[str, Guest] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    invitations: int = 0
    whys: dict[str, Why] = field(default_factory=dict)
    pace: Pace = field(default_factory=lambda: Pace(SWITCHES))

    def line(self) -> list[str]:
        """Whose hand is up, whoever is next first."""
        return sorted(self.hands, key=lambda one: (self.turns.get(one, 0), self.hands[one]))

    def on_stage(self) -> list[Guest]:
        """Who is on stage, whoever came first first."""
        return [guest for guest in self.guests.values() if guest.on]

    def by(self, person_id: str, number: int) -> list[Guest]:
        """The guest that somebody is by an invitation, if they are."""
        guest = self.guests.get(person_id)
        return [guest] if guest is not None and guest.number == number else []

    def invited(self, person_id: str, number: int) -> Guest:
        """Raises DomainError not_invited: never, not by this invitation, or it has lapsed."""
        for guest in self.by(person_id, number):
            if not guest.on:
                return guest
        raise DomainError("not_invited")

    def guest(self, person_id: str) -> Guest:
        """Raises DomainError not_on_stage."""
        guest = self.guests.get(person_id)
        if guest is None or not guest.on:
            raise DomainError("not_on_stage")
        return guest


class StageActivity(Activity[State]):
    """举手与连麦."""

    name = "stage"
    commands = (
        Says("stage:raise", StageRaise, "trainee", ("lesson_not_live", "too_many_tries")),
        Says("stage:lower", StageLower, "both", ("forbidden",)),
        Says("stage:invite", StageInvite, "instructor", INVITE_CODES),
        Says("stage:accept", StageAccept, "trainee", ("not_invited",)),
        Says("stage:leave", StageLeave, "trainee"),
        Says("stage:switch", StageSwitch, "trainee", ("not_on_stage", "slow_down")),
        Says("stage:take_down", StageTakeDown, "instructor"),
        Says("stage:silence", StageSilence, "instructor", ("not_on_stage",)),
    )

    def start(self) -> State:
        return State()

    def decide(self, state: State, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:  # noqa: C901  a flat match
        match command:
            case StageRaise():
                return _raise(state, scene, who.person_id)
            case StageLower(person_id=person_id):
                return [Fact("lower", {"person_id": one}) for one in _lowered(state, who, person_id)]
            case StageInvite(person_id=person_id):
                return _invite(state, scene, person_id)
            case StageAccept():
                return _accept(state, command, scene, who)
            case StageLeave(number=number):
                return [_down(one, "left" if one.on else "declined") for one in state.by(who.person_id, number)]
            case StageSwitch(voice=voice, picture=picture):
                guest = state.guest(who.person_id)
                same = (guest.own_voice, guest.own_picture) == (voice, picture)
                state.pace.check(who.person_id, scene.now_ms)
                return [] if same else [Fact("switch", {"voice": voice, "picture": picture})]
            case StageTakeDown(person_id=person_id):
                return [_down(state.guests[person_id], "taken_down")] if person_id in state.guests else []
            case StageSilence(person_id=person_id, on=on):
                same = state.guest(person_id).silenced == on
                return [] if same else [Fact("silence", {"person_id": person_id, "on": on})]
            case Settle():
                return _settled(state, scene.order)
            case Gone(person_id=person_id, why=why):
                if person_id in state.guests:
                    return [_down(state.guests[person_id], why)]
                return [Fact("lower", {"person_id": person_id})] if person_id in state.hands else []
            case Over():
                downs = [_down(guest, "over") for guest in state.guests.values()]
                return [*downs, *(Fact("lower", {"person_id": one}) for one in state.hands)]
        raise TypeError(command)

    def due(self, state: State, now_ms: int) -> Sequence[Fact]:
        late = [one for one in state.guests.values() if not one.on and now_ms - one.at_ms >= INVITED_MS]
        return [_down(guest, "lapsed") for guest in late]

    def apply(self, state: State, act: Act) -> Iterable[str]:
        body = act.body
        person_id: str = body.get("person_id") or act.actor_id
        match act.kind:
            case "raise":
                state.hands[person_id] = act.seq
                state.raised_ms[person_id] = act.at_ms
                state.whys.pop(person_id, None)
            case "lower":
                state.hands.pop(person_id, None)
            case "invite":
                may = body["may_picture"]
                state.invitations += 1
                state.guests[person_id] = Guest(person_id, state.invitations, act.at_ms, may_picture=may)
                state.whys.pop(person_id, None)
            case "down":
                state.guests.pop(person_id, None)
                state.hands.pop(person_id, None)
                state.whys[person_id] = body["why"]
            case _:
                if act.kind == "switch":
                    state.pace.note(person_id, act.at_ms)
                _changed(state, state.guests[person_id], act)
        return (person_id,)

    def spoke(self, act: Act) -> bool:
        """A hand that was raised, a yes to an invitation."""
        return act.kind in ("raise", "on")

    def keys(self, state: State) -> Iterable[str]:
        return [*dict.fromkeys((*state.guests, *state.hands, *state.turns))]

    def mine(self, state: State, person_id: str) -> StageView | None:
        known = person_id in state.guests or person_id in state.hands
        return self.view(state, person_id, False, lambda _id: "") if known else None

    def view(self, state: State, key: str, desk: bool, name: Name) -> StageView:
        guest = state.guests.get(key)
        none = Guest(key, 0, 0, own_voice=False)
        found = guest or none
        return StageView(
            id=key,
            name=name(key),
            hand=state.hands.get(key),
            turns=state.turns.get(key, 0),
            where="" if guest is None else "on" if guest.on else "invited",
            number=found.number,
            at=None if guest is None else iso(guest.at_ms),
            voice=found.on and found.voice,
            picture=found.on and found.picture,
            own_voice=found.own_voice,
            own_picture=found.own_picture,
            may_voice=found.may_voice,
            may_picture=found.may_picture,
            silenced=found.silenced,
            why=state.whys.get(key),
        )


def _raise(state: State, scene: Scene, person_id: str) -> Sequence[Fact]:
    if not scene.begun:
        raise DomainError("lesson_not_live")
    if person_id in state.hands or person_id in state.guests:
        return []
    left_ms = state.raised_ms.get(person_id, -HAND_PAUSE_MS) + HAND_PAUSE_MS - scene.now_ms
    if left_ms > 0:
        raise DomainError("too_many_tries", retry_after_s=-(-left_ms // 1000))
    return [Fact("raise")]


def _lowered(state: State, who: Who, person_id: str | None) -> list[str]:
    if not who.teaches:
        if person_id not in (None, who.person_id):
            raise DomainError("forbidden")
        person_id = who.person_id
    return [one for one in state.hands if person_id in (None, one)]


def _invite(state: State, scene: Scene, person_id: str) -> Sequence[Fact]:
    """What cannot be heard is not invited: whoever teaches first lifts the silence."""
    if not scene.begun:
        raise DomainError("lesson_not_live")
    guest = Who(person_id)
    scene.order.check(guest, "voice")
    if person_id in state.guests:
        return []
    if len(state.guests) >= MOST_GUESTS:
        raise DomainError("stage_full", limit=MOST_GUESTS)
    return [Fact("invite", {"person_id": person_id, "may_picture": scene.order.may(guest, "video")})]


def _accept(state: State, command: StageAccept, scene: Scene, who: Who) -> Sequence[Fact]:
    guest = state.guests.get(who.person_id)
    if guest is not None and guest.on and guest.number == command.number:
        return []  # said twice
    guest = state.invited(who.person_id, command.number)
    if scene.now_ms - guest.at_ms >= INVITED_MS:
        raise DomainError("not_invited")
    scene.order.check(who, "voice")
    return [Fact("on", {"picture": command.picture})]


def _down(guest: Guest, why: Why) -> Fact:
    return Fact("down", {"person_id": guest.person_id, "why": why})


def _settled(state: State, order: Order) -> Sequence[Fact]:
    """Guests send what the order allows from now on; whoever was removed is down."""
    facts = []
    for guest in state.guests.values():
        who = Who(guest.person_id)
        voice, picture = order.may(who, "voice"), order.may(who, "video")
        if (voice, picture) != (guest.may_voice, guest.may_picture):
            facts.append(Fact("allow", {"person_id": guest.person_id, "voice": voice, "picture": picture}))
    return facts


def _changed(state: State, guest: Guest, act: Act) -> None:
    match act.kind:
        case "on":
            guest.on, guest.at_ms, guest.own_picture = True, act.at_ms, act.body["picture"]
            state.turns[guest.person_id] = state.turns.get(guest.person_id, 0) + 1
            state.hands.pop(guest.person_id, None)
        case "switch":
            guest.own_voice, guest.own_picture = act.body["voice"], act.body["picture"]
        case "allow":
            guest.may_voice, guest.may_picture = act.body["voice"], act.body["picture"]
        case "silence":
            guest.silenced = act.body["on"]
        case _:
            raise ValueError(act.kind)
