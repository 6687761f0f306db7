"""An activity held by hand: commands in, acts applied, as the log of a lesson does it."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from server.core.errors import DomainError
from server.live.acts.port import Act, Activity, Scene, What, Who

State = TypeVar("State")

TEACHER = Who("teacher", teaches=True)


@dataclass
class Open:
    """An order in which somebody may be silenced, and anything be switched off for trainees."""

    silenced: set[str] = field(default_factory=set)
    off: set[str] = field(default_factory=set)

    def check(self, who: Who, what: What) -> None:
        """As the real one: the instructor may everything."""
        if who.teaches:
            return
        if who.person_id in self.silenced:
            raise DomainError("silenced")
        if what in self.off:
            raise DomainError("switched_off")

    def may(self, who: Who, what: What) -> bool:
        return who.teaches or (who.person_id not in self.silenced and what not in self.off)


@dataclass
class Table(Generic[State]):
    """One activity with its state and all its acts; every act takes a second unless a test says otherwise."""

    activity: Activity[State]
    order: Open = field(default_factory=Open)
    now_ms: int = 0
    ended_ms: int | None = None
    acts: list[Act] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.activity.start()
        self.changed: list[str] = []

    def scene(self) -> Scene:
        return Scene(self.now_ms, self.order, True, self.ended_ms)

    def say(self, command: Any, who: Who, passes_ms: int = 1_000) -> list[Act]:
        """Decide and apply; gives the acts."""
        self.now_ms += passes_ms
        self.changed = []
        made = []
        for fact in self.activity.decide(self.state, command, self.scene(), who):
            act = Act(len(self.acts) + 1, self.now_ms, self.activity.name, fact.kind, who.person_id, fact.body)
            self.acts.append(act)
            self.changed += self.activity.apply(self.state, act)
            made.append(act)
        return made

    def refused(self, command: Any, who: Who, passes_ms: int = 1_000) -> str:
        """The code of a refusal, after which nothing has changed."""
        before = self.seen()
        try:
            self.say(command, who, passes_ms)
        except DomainError as error:
            assert self.seen() == before
            return error.code
        raise AssertionError(f"{command} was not refused")

    def view(self, key: str, desk: bool = False) -> Any:
        return self.activity.view(self.state, key, desk, name_of)

    def seen(self) -> list[Any]:
        """All that the desk may see."""
        return [self.view(key, desk=True) for key in self.activity.keys(self.state)]

    def rebuilt(self) -> State:
        """The state that the acts alone make."""
        state = self.activity.start()
        for act in self.acts:
            self.activity.apply(state, act)
        return state


def name_of(person_id: str) -> str:
    return f"名{person_id}"
