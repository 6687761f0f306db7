"""Decides what is kept of a lesson's challenges in memory: how its trainees stand, what their pages were told."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from server.attendance.challenges.provider import Prompt
from server.attendance.challenges.rules import Asked, Standing
from server.training.rules import ChallengeRule


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """How a trainee stands: `asked` (with a prompt), `blocked` (nothing counts until they are verified), or `clear`.

    `number` is that of the last challenge; an answer names it. `left_ms`: so long an answer is taken. `reason`: why
    nothing counts.
    """

    lesson_id: str
    state: Literal["clear", "asked", "blocked"]
    number: int
    prompt: Prompt | None
    left_ms: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says about a challenge: its lease's epoch, which challenge, and the answer."""

    lesson_id: str
    epoch: int
    number: int
    answer: str


@dataclass(slots=True)
class Sent:
    """When a question was first sent to the page of a lease; of answers too fast the last and how many."""

    number: int
    epoch: int
    at_ms: int
    fast_ms: int = 0
    fast: int = 0


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
    sent: dict[str, Sent] = field(default_factory=dict)
    looked_ms: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def standing(self, person_id: str) -> Standing:
        return self.standings.get(person_id, Standing())

    def asked_now(self, person_id: str) -> Asked | None:
        """What the trainee's page is to show."""
        asked = self.standing(person_id).asked
        return asked if asked is not None and asked.left_ms is None else None

    def ask_anew(self) -> None:
        """We were not there: what was asked is asked anew, and an answer may be on its way since before."""
        for person_id, standing in self.standings.items():
            if standing.asked is not None:
                self.anew.add(person_id)
                self.sent_to(person_id, standing.asked, standing.asked.since_ms)

    def sent_to(self, person_id: str, asked: Asked, now_ms: int) -> Sent:
        """What is known of when the question was sent to them; now, unless it was before."""
        sent = self.sent.get(person_id)
        if sent is None or (sent.number, sent.epoch) != (asked.number, asked.epoch):
            sent = self.sent[person_id] = Sent(asked.number, asked.epoch, now_ms)
        return sent


@dataclass(slots=True)
class Line:
    """A trainee's answers that are being judged, in the order in which they came, and when that was."""

    received: list[int] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
