"""Decides what an activity of a lesson is: commands become facts, facts become acts, acts make its state. Pure.

The same `apply` that follows a command rebuilds the state after a restart, at another process, and for a replay.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from server.core.errors import DomainError

State = TypeVar("State")

#: a person's name as pages show it, by id
Name = Callable[[str], str]

#: who may give a command: trainees in the lesson, its instructor, or both
By = Literal["trainee", "instructor", "both"]

#: what can be switched off for trainees
What = Literal["text", "voice", "video", "screen", "drawing", "files"]


@dataclass(frozen=True, slots=True)
class Who:
    """Who gives a command: the lesson's instructor, or a trainee who is in it."""

    person_id: str
    teaches: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """What a command leads to; `body` is JSON: texts, whole numbers, yes or no, lists and objects of them."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """A fact with its place in the lesson's order: `seq` counts from 1 over all activities. Of nobody: no actor."""

    seq: int
    at_ms: int
    activity: str
    kind: str
    actor_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoke:
    """Somebody who has taken part, by an act that the desk may know theirs; only the desk is told."""

    id: str


class Order(Protocol):
    """What the order of a lesson allows."""

    def check(self, who: Who, what: What) -> None:
        """Raises DomainError silenced, switched_off or removed_from_lesson."""
        ...

    def may(self, who: Who, what: What) -> bool: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """The circumstances of a command: ledger time; whether the lesson began, when it ended; what its order allows."""

    now_ms: int
    order: Order
    begun: bool = True
    ended_ms: int | None = None

    @property
    def ended(self) -> bool:
        return self.ended_ms is not None


@dataclass(frozen=True, slots=True)
class Says:
    """One command: its event, its dataclass (whose `lesson_id` is not the activity's business), who may give it.

    `codes` are its own refusals. A `late` one is also taken when the lesson is over.
    """

    event: str
    request: type
    by: By
    codes: tuple[str, ...] = ()
    late: bool = False


class Activity(ABC, Generic[State]):
    """One activity of a lesson. `name` is its field in what pages are told; the class keeps no state of its own."""

    name: str
    commands: tuple[Says, ...]

    @abstractmethod
    def start(self) -> State:
        """The state before any act."""

    @abstractmethod
    def decide(self, state: State, command: Any, scene: Scene, who: Who) -> Sequence[Fact]:
        """What a command leads to; nothing where it changes nothing. Reads only. Raises DomainError."""

    def due(self, state: State, now_ms: int) -> Sequence[Fact]:
        """What happens by itself now: asked for each second while the lesson is in memory."""
        del state, now_ms
        return ()

    @abstractmethod
    def apply(self, state: State, act: Act) -> Iterable[str]:
        """Change the state, and say whose view has changed, by key. Never refuses: what was decided has happened."""

    @abstractmethod
    def keys(self, state: State) -> Iterable[str]:
        """What a page that knows nothing is to know, in order."""

    @abstractmethod
    def view(self, state: State, key: str, desk: bool, name: Name) -> Any:
        """What trainees, or those who oversee (`desk`), see of one thing: a dataclass with an `id`; None: nothing."""

    def spoke(self, act: Act) -> bool:
        """Whether its actor has taken part by it, in a way that those who oversee may know."""
        del act
        return False

    def concerns(self, act: Act) -> str | None:
        """Whose own (`mine`) somebody else's act has changed; None: nobody's."""
        del act
        return None

    def withdrawn(self, state: State, key: str) -> bool:
        """Whether it was taken back, so that a replay does not show trainees what it was before."""
        del state, key
        return False

    def mine(self, state: State, person_id: str) -> Any:
        """What only this person is told of their own; None: nothing."""
        del state, person_id
        return None


def text(value: str, most: int, field_name: str = "text") -> str:
    """What somebody wrote, without blanks around it.

    Raises DomainError text_missing, or bad_request when it is longer than `most` characters.
    """
    found = value.strip()
    if not found:
        raise DomainError("text_missing")
    if len(found) > most:
        raise DomainError("bad_request", field=field_name, problem=f"at most {most} characters")
    return found
