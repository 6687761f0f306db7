"""Decides how fast one person may do something: so many times within so long. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from server.core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within any `within_ms`."""

    most: int
    within_ms: int


@dataclass(slots=True)
class Pace:
    """When each person did it last; no more of it is kept than the limit asks for."""

    limit: Limit
    times: dict[str, deque[int]] = field(default_factory=dict)

    def check(self, person_id: str, now_ms: int) -> None:
        """Raises DomainError slow_down with the seconds to wait."""
        last = self.times.get(person_id)
        if last is not None and len(last) == self.limit.most:
            wait(last[0] + self.limit.within_ms - now_ms)

    def note(self, person_id: str, at_ms: int) -> None:
        """It happened."""
        self.times.setdefault(person_id, deque(maxlen=self.limit.most)).append(at_ms)

    def last_ms(self, person_id: str) -> int | None:
        """When the person did it last."""
        return next(reversed(self.times.get(person_id, ())), None)


def wait(left_ms: int) -> None:
    """Raises DomainError slow_down while there is something left to wait, in whole seconds and never none."""
    if left_ms > 0:
        raise DomainError("slow_down", retry_after_s=-(-left_ms // 1000))


def once(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order."""
    return tuple(dict.fromkeys(values))
