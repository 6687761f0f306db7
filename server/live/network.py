"""Decides what an instructor is told of each trainee's line: good, weak or no picture, with its figures.

It is there to help: a weak line is a reason to send a smaller picture, to wait, to explain, and never a reason against
anybody. Nothing of it is kept, and no minute depends on it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from media.api import Line
from server.attendance.register import Register
from server.core.actor import Role
from server.core.errors import DomainError
from server.core.wire.declaration import Call, Command, Declarations
from server.live.api import LessonCommand
from server.live.service import Live, peer_of
from server.training.service import Training

State = Literal["good", "weak", "none"]
#: above these a picture stutters or a voice breaks
WEAK_LOSS: Final = 0.05
WEAK_JITTER_MS: Final = 100
WEAK_TRIP_MS: Final = 600


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """One trainee whose page is in the lesson. `direct`: by WebRTC, else the compatible way; null: not known."""

    person_id: str
    state: State
    direct: bool
    kbps: int
    loss_percent: float | None
    jitter_ms: int | None
    round_trip_ms: int | None


@dataclass(frozen=True, slots=True)
class Network:
    """Empty while nothing is sent to anybody."""

    lesson_id: str
    rows: list[NetworkRow]


def state_of(line: Line | None) -> State:
    """What a line means for its picture."""
    if line is None or not line.picture:
        return "none"
    weak = (
        line.small
        or (line.loss or 0) >= WEAK_LOSS
        or (line.jitter_ms or 0) >= WEAK_JITTER_MS
        or (line.round_trip_ms or 0) >= WEAK_TRIP_MS
    )
    return "weak" if weak else "good"


def row_of(person_id: str, line: Line | None) -> NetworkRow:
    """A trainee's row; without a line nothing reaches them."""
    if line is None:
        return NetworkRow(person_id, "none", False, 0, None, None, None)
    percent = None if line.loss is None else round(line.loss * 100, 1)
    return NetworkRow(person_id, state_of(line), line.direct, line.kbps, percent, line.jitter_ms, line.round_trip_ms)


class Networks:
    """The command by which an instructor's page asks, every few seconds."""

    def __init__(self, live: Live, register: Register, training: Training) -> None:
        self._live, self._register, self._training = live, register, training

    async def tell(self, call: Call, request: LessonCommand) -> Network:
        """The lines of those who are in the instructor's lesson now. Raises DomainError not_found, forbidden."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        if call.who.person_id != lesson.instructor_id:
            raise DomainError("forbidden")
        running = await self._live.running(lesson.id)
        if not running.publisher_live:
            return Network(lesson.id, [])
        lines = {line.peer: line for line in self._live.media.lines(lesson.id)}
        here = [
            (person_id, holder.epoch)
            for person_id, holder in self._register.holders.items()
            if holder.lesson_id == lesson.id and holder.connection
        ]
        rows = [row_of(person_id, lines.get(peer_of(person_id, epoch))) for person_id, epoch in here]
        return Network(lesson.id, rows)

    def declarations(self) -> Declarations:
        """What is served of it."""
        roles = frozenset({Role.INSTRUCTOR})
        told = Command("lesson:network", roles, LessonCommand, Network, self.tell, codes=("not_found",), at_owner=True)
        return Declarations(commands=[told])
