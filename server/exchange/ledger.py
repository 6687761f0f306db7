"""Decides what stands in a 学时台账: its columns, a row per trainee and lesson, one 合计 row per trainee. Pure.

Known so far; 随堂测试 and 证据摘要 follow with what they rest on. Milliseconds are summed whole; every shown
second, minute and hour is rounded down once, from its own sum.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from server.attendance.cells import RecordState
from server.attendance.hours import Earned
from server.attendance.views import LessonResult
from server.core.clock import LOCAL_ZONE, to_datetime
from server.exchange.words import CHINESE, Words
from server.training.records import Platform, TrainingClass
from server.training.rules import Lesson
from server.verify.hours import Rules, Settled

Value: TypeAlias = str | int

#: of somebody who was enrolled a moment ago
NOTHING_EARNED: Final = Earned(Settled(0, 0, 0, 0, 0, ()), Settled(0, 0, 0, 0, 0, ()))
COLUMNS: Final = CHINESE.columns
#: "2026-11-23 09:00:00"
MOMENT: Final = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Trainee:
    """A trainee as a file names them."""

    person_id: str
    seat: int
    name: str
    id_number_masked: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of one file, before it becomes bytes: lines of the head, then the columns of `words`, then rows."""

    code: str
    demo: bool
    words: Words
    head: list[str]
    rows: list[list[Value]]


def ledger(
    home: TrainingClass,
    lessons: Sequence[Lesson],
    trainees: Iterable[Trainee],
    results: Iterable[LessonResult],
    hours: Mapping[str, Earned],
    platform: Platform,
    now_ms: int,
    words: Words = CHINESE,
) -> Ledger:
    """A class's ledger. A trainee without a result of a lesson (it has not begun) has a row without seconds."""
    known = {(result.person_id, result.lesson_id): result for result in results}
    rows: list[list[Value]] = []
    for trainee in trainees:
        mine = [(lesson, known.get((trainee.person_id, lesson.id))) for lesson in lessons]
        rows += [_lesson_row(words, home, trainee, lesson, result) for lesson, result in mine]
        begun = [result for _lesson, result in mine if result is not None and result.open_ms]
        rows.append(_total_row(words, home, trainee, begun, hours.get(trainee.person_id, NOTHING_EARNED)))
    return Ledger(home.code, platform.demo, words, _head(words, home, platform, now_ms), rows)


def _head(words: Words, home: TrainingClass, platform: Platform, now_ms: int) -> list[str]:
    title = words.schemes.get(home.scheme.name, home.scheme.title)
    known = {
        "code": home.code,
        "name": home.name,
        "occupation": home.occupation,
        "level": home.level,
        "institution": home.institution.name,
        "hours": home.required_hours,
        "operator": platform.operator or words.none,
        "record": platform.record_number or words.none,
        "scheme": f"{title} {_scheme(home)}",
        "rules": words.list_mark.join(_rules(words, home.scheme.rules)),
        "now": _moment(now_ms),
    }
    lines = [f"{words.title} {words.demo_mark}" if platform.demo else words.title]
    lines += [line.format_map(known) for line in words.head]
    return [*lines, words.demo_notice] if platform.demo else lines


def _rules(words: Words, rules: Rules) -> list[str]:
    """What a scheme says of class hours, one clause after the other."""
    said = [words.rules[rules.rounding].format(n=rules.class_hour_ms // 1000)]
    for name, unit_ms in (
        ("daily_cap_ms", 60_000),
        ("shortest_ms", 60_000),
        ("complete_percent", 1),
        ("late_ms", 60_000),
    ):
        value = getattr(rules, name)
        said += [words.rules[name].format(n=f"{value / unit_ms:g}")] if value is not None else []
    return said


def _lesson_row(
    words: Words, home: TrainingClass, trainee: Trainee, lesson: Lesson, result: LessonResult | None
) -> list[Value]:
    plan: list[Value] = [lesson.number, lesson.title, words.delivery]
    plan += [_moment(lesson.planned_start_ms), _moment(lesson.planned_end_ms)]
    begun = result is not None and result.open_ms > 0
    if result is None or not begun:
        return [
            *_who(home, trainee),
            *plan,
            *("" for _ in words.columns[len(words.before) : -len(words.after)]),
            *("" for _ in words.after[:-1]),
            _scheme(home),
        ]
    seen = [_moment(result.first_ms), _moment(result.last_ms)]
    state = words.states[result.state]
    return [*_who(home, trainee), *plan, *seen, *_seconds(words, [result]), "", "", "", state, _scheme(home)]


def _total_row(
    words: Words, home: TrainingClass, trainee: Trainee, results: list[LessonResult], earned: Earned
) -> list[Value]:
    """The course row: hours of what was recorded with the minutes left over, and hours of what counts."""
    computed = earned.computed
    end: list[Value] = [computed.class_hours, computed.remainder_ms // 60_000, earned.confirmed.class_hours]
    end += [words.states[_least({result.state for result in results})], _scheme(home)]
    return [*_who(home, trainee), words.total, "", words.delivery, "", "", "", "", *_seconds(words, results), *end]


def _who(home: TrainingClass, trainee: Trainee) -> list[Value]:
    return [trainee.seat, home.code, home.occupation, home.level, trainee.name, trainee.id_number_masked]


def _seconds(words: Words, results: Sequence[LessonResult]) -> list[Value]:
    online = sum(result.online_ms for result in results)
    credit = sum(result.credit_ms for result in results)
    lost = [sum(result.reasons.get(reason.code, 0) for result in results) for reason in words.reasons]
    corrected = sum(result.corrected_ms for result in results)
    towards_nothing = abs(corrected) // 1000 * (1 if corrected > 0 else -1)  # also what is taken
    refused = [sum(result.refused.get(why.code, 0) for result in results) for why in words.refusals]
    cut = [sum(result.cut.get(why, 0) for result in results) for why in words.cuts]
    pending = sum(result.pending_ms for result in results)
    confirmed = sum(result.confirmed_ms for result in results)
    tallies = [result.tally for result in results]
    checks = [sum(getattr(one, name) for one in tallies) for name in ("asked", "passed", "failed", "missed")]
    shown = [ms // 1000 for ms in (confirmed, *lost, *refused, *cut, pending)]
    marks = [sum(bool(getattr(result, name)) for result in results) for name in ("late", "complete")]
    return [online // 1000, credit // 1000, towards_nothing, *shown, *checks, *marks]


def _least(states: Collection[RecordState]) -> RecordState:
    """The least final of lessons' states; refused only where all of them are."""
    for state in (RecordState.RECORDED, RecordState.PENDING, RecordState.CONFIRMED):
        if state in states or not states:
            return state
    return RecordState.REFUSED


def _scheme(home: TrainingClass) -> str:
    return f"{home.scheme.name} v{home.scheme.version}"


def _moment(ms: int | None) -> str:
    """A moment as people in the county read it."""
    return "" if ms is None else to_datetime(ms).astimezone(LOCAL_ZONE).strftime(MOMENT)
