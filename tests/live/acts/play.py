"""An activity played by hand: commands at moments, what was refused, and the acts that they left."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from server.core.errors import DomainError
from server.live.acts.port import Act, Activity, Fact, Scene, What, Who

TEACHER = Who("teacher", teaches=True)


class Allowed:
    """An order that allows everything."""

    def check(self, who: Who, what: What) -> None:
        """Refuses nothing."""

    def may(self, who: Who, what: What) -> bool:
        return True


@dataclass
class Play:
    """One lesson's activity. `told` are the keys whose view has changed, as they came."""

    activity: Activity[Any]
    now_ms: int = 1_000_000
    acts: list[Act] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.activity.start()

    def do(self, command: Any, who: Who = TEACHER) -> str:
        """Give a command; returns the number of its last act, or the code of its refusal."""
        try:
            facts = self.activity.decide(self.state, command, Scene(self.now_ms, Allowed()), who)
        except DomainError as error:
            return error.code
        return self._happen(facts, who.person_id)

    def wait(self, ms: int, due: bool = True) -> None:
        """Time goes by; what is due then happens."""
        self.now_ms += ms
        if due:
            self._happen(self.activity.due(self.state, self.now_ms), "")

    def _happen(self, facts: Any, person_id: str) -> str:
        fact: Fact
        for fact in facts:
            body = json.loads(json.dumps(fact.body))
            act = Act(len(self.acts) + 1, self.now_ms, self.activity.name, fact.kind, person_id, body)
            self.acts.append(act)
            self.told += self.activity.apply(self.state, act)
        return str(len(self.acts))

    def again(self) -> Any:
        """The state that the acts alone make."""
        state = self.activity.start()
        for act in self.acts:
            list(self.activity.apply(state, act))
        return state

    def seen(self, desk: bool) -> list[dict[str, Any]]:
        """Everything that trainees, or the desk, see."""
        views = (self.activity.view(self.state, key, desk, str) for key in self.activity.keys(self.state))
        return [asdict(view) for view in views if view is not None]
