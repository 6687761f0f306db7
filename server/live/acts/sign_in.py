"""Decides sign-in (签到): the instructor asks who is there, trainees say so. Pure.

It is a courtesy between people and no attendance: it credits no minute and takes none away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.core.errors import DomainError
from server.live.acts.port import Act, Activity, Fact, Name, Says, Scene, Who

SECONDS_LEAST: Final = 10
SECONDS_MOST: Final = 1_800
#: in one lesson
SIGN_INS_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class SignInOpen:
    """Ask who is there, for so many seconds."""

    lesson_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class SignInHere:
    """I am here."""

    lesson_id: str
    sign_in_id: str


@dataclass(frozen=True, slots=True)
class SignInClose:
    """Nobody signs in any more."""

    lesson_id: str
    sign_in_id: str


@dataclass(frozen=True, slots=True)
class SignInView:
    """One sign-in; moments in milliseconds of ledger time. `here` is the desk's, null to trainees."""

    id: str
    open: bool
    opened_ms: int
    closes_ms: int
    closed_ms: int | None
    here: int | None


@dataclass(slots=True)
class SignIn:
    """One sign-in as its acts make it; `here`: since when each is."""

    id: str
    opened_ms: int
    closes_ms: int
    closed_ms: int | None = None
    here: dict[str, int] = field(default_factory=dict)

    def is_over(self, now_ms: int) -> bool:
        return self.closed_ms is not None or now_ms > self.closes_ms


@dataclass(slots=True)
class SignIns:
    """All of a lesson, in order."""

    rounds: dict[str, SignIn] = field(default_factory=dict)
    open_id: str | None = None


class SignInActivity(Activity[SignIns]):
    """Sign-ins of a lesson."""

    name = "sign_ins"
    commands = (
        Says("sign_in:open", SignInOpen, "instructor", ("sign_in_open", "sign_ins_limit")),
        Says("sign_in:here", SignInHere, "trainee", ("not_found", "sign_in_over")),
        Says("sign_in:close", SignInClose, "instructor", ("not_found", "sign_in_over")),
    )

    def start(self) -> SignIns:
        return SignIns()

    def decide(self, state: SignIns, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        if isinstance(command, SignInOpen):
            return _open(state, command.seconds, scene.now_ms)
        found = state.rounds.get(command.sign_in_id)
        if found is None:
            raise DomainError("not_found")
        if isinstance(command, SignInHere) and who.person_id in found.here:
            return ()  # an acknowledgement was lost
        if found.is_over(scene.now_ms) and not (isinstance(command, SignInClose) and found.closed_ms is None):
            raise DomainError("sign_in_over")
        return [Fact("here" if isinstance(command, SignInHere) else "closed", {"sign_in": found.id})]

    def due(self, state: SignIns, now_ms: int) -> Sequence[Fact]:
        """A sign-in whose time is up closes."""
        found = state.rounds[state.open_id] if state.open_id else None
        return [Fact("closed", {"sign_in": found.id})] if found is not None and found.is_over(now_ms) else ()

    def apply(self, state: SignIns, act: Act) -> Iterable[str]:
        if act.kind == "opened":
            found = SignIn(str(act.seq), act.at_ms, act.at_ms + act.body["seconds"] * 1000)
            state.rounds[found.id] = found
            state.open_id = found.id
            return [found.id, _count(found.id)]
        found = state.rounds[str(act.body["sign_in"])]
        if act.kind == "here":
            found.here[act.actor_id] = act.at_ms
            return [_count(found.id)]
        found.closed_ms = min(act.at_ms, found.closes_ms)
        state.open_id = None
        return [found.id, _count(found.id)]

    def spoke(self, act: Act) -> bool:
        return act.kind == "here"

    def keys(self, state: SignIns) -> Iterable[str]:
        return [key for one in state.rounds for key in (one, _count(one))]

    def view(self, state: SignIns, key: str, desk: bool, name: Name) -> SignInView | None:
        """Trainees are told of its beginning and its end, the desk of each number as well."""
        sign_in_id, _, count = key.partition(".")
        if desk != bool(count):
            return None
        one = state.rounds[sign_in_id]
        here = len(one.here) if desk else None
        return SignInView(one.id, one.closed_ms is None, one.opened_ms, one.closes_ms, one.closed_ms, here)

    def mine(self, state: SignIns, person_id: str) -> list[str]:
        """Where one said so."""
        return [one.id for one in state.rounds.values() if person_id in one.here]


def _open(state: SignIns, seconds: int, now_ms: int) -> Sequence[Fact]:
    if not SECONDS_LEAST <= seconds <= SECONDS_MOST:
        raise DomainError("bad_request", field="seconds", problem=f"{SECONDS_LEAST} to {SECONDS_MOST}")
    if len(state.rounds) >= SIGN_INS_MOST:
        raise DomainError("sign_ins_limit", most=SIGN_INS_MOST)
    fact = Fact("opened", {"seconds": seconds})
    if state.open_id is None:
        return [fact]
    if not state.rounds[state.open_id].is_over(now_ms):
        raise DomainError("sign_in_open")
    return [Fact("closed", {"sign_in": state.open_id}), fact]


def _count(sign_in_id: str) -> str:
    """The key of what the desk sees of it."""
    return f"{sign_in_id}.here"
