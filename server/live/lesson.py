"""Decides what a live lesson is: one reducer from commands to events, and when the lesson counts. Pure.

The same events rebuild the lesson after a restart; only events are stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from server.attendance.intervals import Intervals, union
from server.attendance.timeline import Phase, Transition
from server.core.errors import DomainError
from server.training.rules import PAUSE_GRACE_MS

#: an instructor who is gone for longer than this does not teach: the lesson stops counting
ABSENT_AFTER_MS: Final = 60_000
#: an outage of ours up to this long costs nothing (a hole); a longer one is 系统故障(待复核)
FAULT_AFTER_MS: Final = 60_000
#: a lesson whose instructor does not come back for so long is over
ABANDONED_AFTER_MS: Final = 30 * 60_000


class State(StrEnum):
    """What people see of a lesson."""

    PLANNED = "planned"
    STARTING = "starting"
    START_FAILED = "start_failed"
    LIVE = "live"
    PAUSED = "paused"
    BREAK = "break"
    ENDED = "ended"


class Kind(StrEnum):
    """What can happen in a lesson."""

    STARTING = "starting"
    STARTED = "started"
    START_FAILED = "start_failed"
    PAUSED = "paused"
    BREAK_BEGAN = "break_began"
    RESUMED = "resumed"
    INSTRUCTOR_LEFT = "instructor_left"
    INSTRUCTOR_BACK = "instructor_back"
    SERVER_BACK = "server_back"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `since_ms` is when a server fault began (server_back), else `at_ms`."""

    seq: int
    at_ms: int
    kind: Kind
    actor_id: str = ""
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as its events make it."""

    state: State = State.PLANNED
    seq: int = 0
    since_ms: int = 0
    started_ms: int | None = None
    ended_ms: int | None = None
    instructor_left_ms: int | None = None
    paused_ms: int | None = None


#: between its start and its end
BEGUN: Final = (State.LIVE, State.PAUSED, State.BREAK)
#: command → the states in which it is allowed
ALLOWED: Final = {
    Kind.STARTING: (State.PLANNED, State.START_FAILED),
    Kind.STARTED: (State.STARTING,),
    Kind.START_FAILED: (State.STARTING,),
    Kind.PAUSED: (State.LIVE,),
    Kind.BREAK_BEGAN: (State.LIVE, State.PAUSED),
    Kind.RESUMED: (State.BREAK, State.PAUSED),
    Kind.INSTRUCTOR_LEFT: BEGUN,
    Kind.INSTRUCTOR_BACK: BEGUN,
    Kind.SERVER_BACK: BEGUN,
    Kind.ENDED: BEGUN,
}


def decide(lesson: Lesson, kind: Kind, now_ms: int, actor_id: str = "", since_ms: int | None = None) -> Event:
    """The event of a command. Raises DomainError lesson_ended, lesson_already_live or lesson_not_live."""
    if lesson.state not in ALLOWED[kind]:
        if lesson.state is State.ENDED:
            raise DomainError("lesson_ended")
        raise DomainError("lesson_already_live" if kind is Kind.STARTING else "lesson_not_live", state=lesson.state)
    at_ms = max(now_ms, lesson.since_ms)
    return Event(lesson.seq + 1, at_ms, kind, actor_id, at_ms if since_ms is None else since_ms)


def apply(lesson: Lesson, event: Event) -> Lesson:  # noqa: C901  a flat match
    """The lesson after an event."""
    after = replace(lesson, seq=event.seq, since_ms=event.at_ms)
    match event.kind:
        case Kind.STARTING:
            return replace(after, state=State.STARTING)
        case Kind.STARTED:
            return replace(after, state=State.LIVE, started_ms=event.at_ms)
        case Kind.START_FAILED:
            return replace(after, state=State.START_FAILED)
        case Kind.PAUSED:
            return replace(after, state=State.PAUSED, paused_ms=event.at_ms)
        case Kind.BREAK_BEGAN:
            return replace(after, state=State.BREAK, paused_ms=None)
        case Kind.RESUMED:
            return replace(after, state=State.LIVE, paused_ms=None)
        case Kind.INSTRUCTOR_LEFT | Kind.SERVER_BACK:
            left_ms = event.at_ms if lesson.instructor_left_ms is None else lesson.instructor_left_ms
            return replace(after, instructor_left_ms=left_ms)
        case Kind.INSTRUCTOR_BACK:
            return replace(after, instructor_left_ms=None)
        case Kind.ENDED:
            return replace(after, state=State.ENDED, ended_ms=event.at_ms)


def rebuild(events: Iterable[Event]) -> Lesson:
    """The lesson that its events make."""
    lesson = Lesson()
    for event in events:
        lesson = apply(lesson, event)
    return lesson


def timeline(events: Iterable[Event], pause_ms: int = PAUSE_GRACE_MS) -> tuple[Transition, ...]:
    """When the lesson counts: started, not in a break, not paused for more than `pause_ms`, and the instructor there
    within the last 60 s.

    The end of a grace may lie ahead; whoever is back before it leaves no trace.
    """
    found: list[Transition] = []
    lesson = Lesson()
    for event in events:
        if closes_ms := _closed_between(lesson, event.at_ms, pause_ms):
            found.append(Transition(closes_ms, Phase.CLOSED))
        if event.kind is Kind.SERVER_BACK and event.at_ms - event.since_ms > FAULT_AFTER_MS:
            found = [one for one in found if one.at_ms < event.since_ms]
            was_open = _open(lesson, event.since_ms, pause_ms)
            found.append(Transition(event.since_ms, Phase.FAULT if was_open else Phase.CLOSED))
        lesson = apply(lesson, event)
        found.append(Transition(event.at_ms, Phase.OPEN if _open(lesson, event.at_ms, pause_ms) else Phase.CLOSED))
    closes_ms = _closes_ms(lesson, pause_ms)
    if closes_ms is not None and _open(lesson, lesson.since_ms, pause_ms):
        found.append(Transition(closes_ms, Phase.CLOSED))
    return tuple(found)


def outages(events: Iterable[Event]) -> Intervals:
    """When no process of ours was there for the lesson, however short."""
    return union((event.since_ms, event.at_ms) for event in events if event.kind is Kind.SERVER_BACK)


def _closes_ms(lesson: Lesson, pause_ms: int) -> int | None:
    """When the lesson stops counting by itself: its instructor is absent, or it is paused, for too long."""
    graces = [(lesson.instructor_left_ms, ABSENT_AFTER_MS), (lesson.paused_ms, pause_ms)]
    return min((since + grace for since, grace in graces if since is not None), default=None)


def _closed_between(lesson: Lesson, at_ms: int, pause_ms: int) -> int | None:
    """When a grace ran out between the last event and this moment."""
    closes_ms = _closes_ms(lesson, pause_ms)
    if closes_ms is None or at_ms <= closes_ms or not _open(lesson, lesson.since_ms, pause_ms):
        return None
    return closes_ms


def _open(lesson: Lesson, at_ms: int, pause_ms: int) -> bool:
    closes_ms = _closes_ms(lesson, pause_ms)
    return lesson.state in (State.LIVE, State.PAUSED) and (closes_ms is None or at_ms <= closes_ms)
