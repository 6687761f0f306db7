"""Decides what makes a valid class and lesson, when a lesson may start, and what a scheme says. Pure."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from server.core.errors import DomainError
from server.verify.hours import Nonsense, Rules, rules_of
from server.verify.schedule import Rule

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
#: a pause of a lesson counts for so long, unless the scheme says otherwise
PAUSE_GRACE_MS: Final = MINUTE_MS
#: a lesson may be started this long before its planned start
EARLY_MS: Final = 30 * MINUTE_MS
#: what a scheme says that challenges nobody
NO_CHALLENGES: Final = "none"
SCHEME_FORM: Final = re.compile(r"[a-z0-9-]{1,40}")
CHALLENGE_SECONDS_MAXIMUM: Final = 2**16 - 1
#: what `window_blur` may say: time without the window's focus counts all the same, or not
IGNORE, NOT_COUNTED = "ignore", "not_counted"
#: nobody moves a hand more often than this while they listen
IDLE_MINIMUM_MS: Final = 10_000
LESSON_MAXIMUM_MS: Final = 8 * HOUR_MS
LESSON_NUMBER_MAXIMUM: Final = 999
HOURS_MAXIMUM: Final = 2_000
TEXT_MAXIMUM: Final = 100
LEVEL_MAXIMUM: Final = 40
#: letters (also Chinese), digits and what office codes are made of; it becomes part of file names
CODE_FORM: Final = re.compile(r"[\w.()（）-]{1,40}")


class LessonState(StrEnum):
    """Where a lesson stands; `live` moves it."""

    PLANNED = "planned"
    STARTING = "starting"
    START_FAILED = "start_failed"
    LIVE = "live"
    PAUSED = "paused"
    BREAK = "break"
    ENDED = "ended"


class SubjectKind(StrEnum):
    """What a lesson teaches: 理论, 实操, 通用素质, 仿真 (R2)."""

    THEORY = "theory"
    PRACTICE = "practice"
    GENERAL = "general"
    SIMULATION = "simulation"


RUNNING: Final = frozenset({LessonState.STARTING, LessonState.LIVE, LessonState.PAUSED, LessonState.BREAK})


@dataclass(frozen=True, slots=True)
class Lesson:
    """A planned lesson (课次) and what became of it. Times in ledger milliseconds."""

    id: str
    class_id: str
    number: int
    title: str
    subject_kind: SubjectKind
    planned_start_ms: int
    planned_end_ms: int
    instructor_id: str
    state: LessonState
    started_ms: int | None
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class ChallengeRule(Rule):
    """How a scheme challenges (R18): the longest recorded time between two passes, and the time to answer.

    The notice gives no numbers; the defaults are what is commonly demanded elsewhere (notice.md).
    """

    limit_ms: int = 15 * MINUTE_MS
    answer_ms: int = MINUTE_MS


@dataclass(frozen=True, slots=True)
class AttentionRule:
    """What a scheme asks of a page in front: that its window has the focus, that somebody moves within `idle_ms`."""

    focus: bool
    idle_ms: int | None


@dataclass(frozen=True, slots=True)
class Scheme:
    """学时认定规则: published, never changed; `parameters` is a JSON object."""

    id: str
    name: str
    version: int
    title: str
    parameters: str
    published_ms: int

    @property
    def rules(self) -> Rules:
        """What it says of class hours (R10). Raises Refused for what was never checked."""
        return rules_of(json.loads(self.parameters))

    @property
    def pause_grace_ms(self) -> int:
        """How long a pause of the lesson counts; a minute unless the scheme says otherwise."""
        return int(json.loads(self.parameters).get("pause_grace_ms", PAUSE_GRACE_MS))

    @property
    def appeal_window_ms(self) -> int:
        """How long after a lesson's end a trainee may appeal; a scheme that does not say so gives a day."""
        return int(json.loads(self.parameters).get("appeal_window_ms", DAY_MS))

    @property
    def objection_window_ms(self) -> int:
        """How long after its approval a regulator may object to a correction; 30 days unless the scheme says so."""
        return int(json.loads(self.parameters).get("objection_window_ms", 30 * DAY_MS))

    @property
    def challenges(self) -> ChallengeRule | None:
        """How trainees are challenged; None: not at all, and all that is recorded counts."""
        said = json.loads(self.parameters).get("challenges", NO_CHALLENGES)
        return None if said == NO_CHALLENGES else ChallengeRule(**said)

    @property
    def attention(self) -> AttentionRule | None:
        """What of the time in front does not count; None: all of it does, and pages are asked nothing more."""
        said = json.loads(self.parameters)
        focus, idle_ms = said.get("window_blur", IGNORE) == NOT_COUNTED, said.get("idle_ms")
        return AttentionRule(focus, idle_ms) if focus or idle_ms is not None else None


def may_start(lesson: Lesson, now_ms: int) -> None:
    """Raises DomainError lesson_ended, lesson_already_live, lesson_too_early (data: from), lesson_over."""
    if lesson.state is LessonState.ENDED:
        raise DomainError("lesson_ended")
    if lesson.state in RUNNING:
        raise DomainError("lesson_already_live")
    if now_ms < lesson.planned_start_ms - EARLY_MS:
        raise DomainError("lesson_too_early", **{"from": _iso(lesson.planned_start_ms - EARLY_MS)})
    if now_ms >= lesson.planned_end_ms:
        raise DomainError("lesson_over")


def checked_parameters(parameters: Mapping[str, Any]) -> str:
    """A scheme's parameters as they are published. Raises DomainError bad_request (field, problem)."""
    challenged = parameters.get("challenges", NO_CHALLENGES)
    try:
        rules_of(parameters)
    except Nonsense as error:
        raise DomainError("bad_request", field=error.field, problem=error.problem) from error
    if challenged != NO_CHALLENGES:
        _check_challenges(challenged)
    _check_attention(parameters)
    return json.dumps(parameters, ensure_ascii=False, sort_keys=True)


def _check_attention(said: Mapping[str, Any]) -> None:
    if said.get("window_blur", IGNORE) not in (IGNORE, NOT_COUNTED):
        raise DomainError("bad_request", field="window_blur", problem=f"{IGNORE} or {NOT_COUNTED}")
    idle_ms = said.get("idle_ms", IDLE_MINIMUM_MS)
    if type(idle_ms) is not int or not IDLE_MINIMUM_MS <= idle_ms <= LESSON_MAXIMUM_MS:
        problem = f"{IDLE_MINIMUM_MS} to {LESSON_MAXIMUM_MS} milliseconds"
        raise DomainError("bad_request", field="idle_ms", problem=problem)


def _check_challenges(said: Any) -> None:
    problem = None
    if not isinstance(said, dict) or not said.keys() <= {"limit_ms", "answer_ms"}:
        problem = "none, or limit_ms and answer_ms"
    elif not all(type(ms) is int and 0 < ms // 1000 <= CHALLENGE_SECONDS_MAXIMUM for ms in said.values()):
        problem = "1 to 65535 seconds in milliseconds"
    elif any(ms % 1000 for ms in said.values()):
        problem = "whole seconds are expected"
    elif (rule := ChallengeRule(**said)).latest_ms <= rule.earliest_ms:
        problem = "limit_ms leaves no room to answer"
    if problem is not None:
        raise DomainError("bad_request", field="challenges", problem=problem)


def checked_code(text: str) -> str:
    """A class code (班级编号). Raises DomainError class_code_malformed."""
    code = unicodedata.normalize("NFC", text).strip()
    if CODE_FORM.fullmatch(code) is None:
        raise DomainError("class_code_malformed")
    return code


def checked_dates(starts_on: str, ends_on: str) -> tuple[str, str]:
    """Two days as YYYY-MM-DD. Raises DomainError bad_request, dates_reversed."""
    first, last = _day("starts_on", starts_on), _day("ends_on", ends_on)
    if last < first:
        raise DomainError("dates_reversed")
    return first.isoformat(), last.isoformat()


def checked_hours(hours: int) -> int:
    """Class hours that a class demands. Raises DomainError hours_out_of_range (data: minimum, maximum)."""
    if not 1 <= hours <= HOURS_MAXIMUM:
        raise DomainError("hours_out_of_range", minimum=1, maximum=HOURS_MAXIMUM)
    return hours


def checked_number(number: int) -> int:
    """A lesson's number within its class. Raises DomainError bad_request."""
    if not 1 <= number <= LESSON_NUMBER_MAXIMUM:
        raise DomainError("bad_request", field="number", problem=f"1 to {LESSON_NUMBER_MAXIMUM}")
    return number


def checked_times(planned_start: str, planned_end: str) -> tuple[int, int]:
    """Two ISO-8601 moments with an offset as ledger milliseconds.

    Raises DomainError bad_request, lesson_times_reversed, lesson_too_long (data: maximum_ms).
    """
    start, end = _moment("planned_start", planned_start), _moment("planned_end", planned_end)
    if end <= start:
        raise DomainError("lesson_times_reversed")
    if end - start > LESSON_MAXIMUM_MS:
        raise DomainError("lesson_too_long", maximum_ms=LESSON_MAXIMUM_MS)
    return start, end


def _day(field: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
        if day.isoformat() != text:  # weeks and days without hyphens are ISO as well, and nobody means them
            raise ValueError
        return day
    except ValueError as error:
        raise DomainError("bad_request", field=field, problem="a day like 2026-11-23 is expected") from error


def _moment(field: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise DomainError("bad_request", field=field, problem="a moment with its offset is expected") from error


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
