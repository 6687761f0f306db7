"""Decides what is kept of a lesson's challenges in memory: how its trainees stand, what their pages were told."""

import asyncio
from dataclasses import dataclass, field

from server.attendance.challenges.rules import Asked, Standing
from server.training.rules import ChallengeRule


@dataclass(slots=True)
class Lesson:
    lesson_id: str
    rule: ChallengeRule
    seed: bytes
    revealed: bool
    standings: dict[str, Standing]
    #: who is to be asked anew before anything is judged: our absence or a failure took of their time to answer
    anew: set[str]
    #: how often this process had stood still when it was last seen to
    pauses: int
    #: whom the provider could not ask: their time begins once it can
    unasked: set[str] = field(default_factory=set)
    #: by trainee: the state that a connection's page acknowledged, and the newest challenge that it showed
    told: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    looked_ms: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def standing(self, person_id: str) -> Standing:
        return self.standings.get(person_id, Standing())

    def asked_now(self, person_id: str) -> Asked | None:
        """What the trainee's page is to show."""
        asked = self.standing(person_id).asked
        return asked if asked is not None and asked.left_ms is None else None


@dataclass(slots=True)
class Line:
    """A trainee's answers that are being judged, in the order in which they came, and when that was."""

    received: list[int] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
