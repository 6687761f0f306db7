"""Decides how a scheme's rules (verify/hours) meet minutes: of which lessons they cut something, and what. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.attendance.cells import LessonMinutes, Settles
from server.attendance.minutes import slot_of
from server.training.rules import Lesson
from server.verify.hours import Cut, LessonSettled, Rules, Settled, cuts, day_of, divided, settle


@dataclass(frozen=True, slots=True)
class Earned:
    """A trainee's sealed minutes as class hours: of what was recorded (折算), and of what counts (认定)."""

    computed: Settled
    confirmed: Settled


def whole(rules: Rules, ms: int) -> Settled:
    """So much time of a class of which the scheme takes nothing. Raises ValueError for a negative sum."""
    return Settled(*divided(rules, ms), ms, 0, 0, ())


def days_of(lesson: Lesson, now_ms: int) -> range:
    """The local days in which a lesson was taught; none before it began."""
    if lesson.started_ms is None:
        return range(0)
    until_ms = now_ms if lesson.ended_ms is None else lesson.ended_ms
    return range(day_of(slot_of(lesson.started_ms)), day_of(slot_of(max(lesson.started_ms, until_ms))) + 1)


def full_days(rules: Rules, lessons: Iterable[Lesson], now_ms: int) -> set[int]:
    """The days in which so much was taught that the cap may take something of it."""
    taught: dict[int, int] = {}
    for lesson in lessons:
        for day in days_of(lesson, now_ms):
            until_ms = now_ms if lesson.ended_ms is None else lesson.ended_ms
            taught[day] = taught.get(day, 0) + until_ms - (lesson.started_ms or 0)
    return {day for day, ms in taught.items() if rules.daily_cap_ms is not None and ms > rules.daily_cap_ms}


def may_cut(rules: Rules, lessons: Iterable[Lesson], now_ms: int) -> bool:
    """Whether the scheme may take something of these lessons of a class."""
    return rules.shortest_ms is not None or bool(full_days(rules, lessons, now_ms))


def settles(rules: Rules, number: int, lessons: Mapping[int, LessonMinutes]) -> Settles:
    """What the scheme makes of the lesson of this number beside others of its class that share its days."""

    def settled(person_id: str) -> tuple[Mapping[int, Cut], LessonSettled]:
        attended = [known.attended(at, person_id) for at, known in lessons.items()]
        found = {one.number: one for one in settle(rules, attended).lessons}
        return cuts(rules, attended).get(number, {}), found[number]

    return settled
