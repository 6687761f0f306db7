"""Decides when a lesson counts, from the transitions that `live` pushes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.attendance.intervals import Interval, union
from server.attendance.minutes import Delivered


class Phase(StrEnum):
    """What a lesson is for attendance."""

    OPEN = "open"
    CLOSED = "closed"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Transition:
    """From `at_ms` on (until the next transition) the lesson is in `phase`; `at_ms` may lie ahead."""

    at_ms: int
    phase: Phase


def delivered_until(transitions: Iterable[Transition], now_ms: int) -> Delivered:
    """The open and faulty time before `now_ms`; transitions come in order of time."""
    spans: dict[Phase, list[Interval]] = {phase: [] for phase in Phase}
    phase, since = Phase.CLOSED, 0
    for transition in transitions:
        if transition.at_ms >= now_ms:
            break
        spans[phase].append((since, transition.at_ms))
        phase, since = transition.phase, transition.at_ms
    spans[phase].append((since, now_ms))
    return Delivered(union(spans[Phase.OPEN]), union(spans[Phase.FAULT]))
