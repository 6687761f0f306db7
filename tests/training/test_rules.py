"""When a lesson may start, and what a valid class and lesson are, at their edges."""

import json
from dataclasses import replace

import pytest

from server.core.errors import DomainError
from server.training import rules
from server.training.rules import (
    EARLY_MS,
    HOUR_MS,
    AttentionRule,
    ChallengeRule,
    Lesson,
    LessonState,
    Scheme,
    SubjectKind,
    checked_parameters,
    may_start,
)

START_MS = 1_795_424_400_000
PLANNED = Lesson(
    "l1", "c1", 1, "课", SubjectKind.THEORY, START_MS, START_MS + HOUR_MS, "p1", LessonState.PLANNED, None, None
)


@pytest.mark.parametrize("now_ms", [START_MS - EARLY_MS, START_MS, START_MS + HOUR_MS - 1])
@pytest.mark.parametrize("state", [LessonState.PLANNED, LessonState.START_FAILED])
def test_a_lesson_may_start(now_ms: int, state: LessonState) -> None:
    may_start(replace(PLANNED, state=state), now_ms)


@pytest.mark.parametrize(
    ("state", "now_ms", "code"),
    [
        (LessonState.PLANNED, START_MS - EARLY_MS - 1, "lesson_too_early"),
        (LessonState.START_FAILED, START_MS - EARLY_MS - 1, "lesson_too_early"),
        (LessonState.PLANNED, START_MS + HOUR_MS, "lesson_over"),
        (LessonState.STARTING, START_MS, "lesson_already_live"),
        (LessonState.LIVE, START_MS, "lesson_already_live"),
        (LessonState.BREAK, START_MS + HOUR_MS, "lesson_already_live"),
        (LessonState.ENDED, START_MS, "lesson_ended"),
    ],
)
def test_a_lesson_may_not_start(state: LessonState, now_ms: int, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        may_start(replace(PLANNED, state=state), now_ms)
    assert refused.value.code == code


def test_too_early_says_from_when() -> None:
    with pytest.raises(DomainError) as refused:
        may_start(PLANNED, 0)
    assert refused.value.data == {"from": "2026-11-23T08:30:00.000Z"}


@pytest.mark.parametrize("code", ["演-1", "2026.11(2)", "聊养护（初）_01", "x" * 40])
def test_class_codes(code: str) -> None:
    assert rules.checked_code(f" {code} ") == code


@pytest.mark.parametrize("code", ["", " ", "a b", "a/b", "a\\b", "x" * 41, "=1", "甲\x00"])
def test_bad_class_codes(code: str) -> None:
    with pytest.raises(DomainError, match="class_code_malformed"):
        rules.checked_code(code)


def test_days() -> None:
    assert rules.checked_dates("2026-11-23", "2026-11-23") == ("2026-11-23", "2026-11-23")
    with pytest.raises(DomainError, match="dates_reversed"):
        rules.checked_dates("2026-11-23", "2026-11-22")


@pytest.mark.parametrize("day", ["", "2026-02-30", "20261123", "2026-W48-1", "23.11.2026", "2026-11-23T00:00"])
def test_bad_days(day: str) -> None:
    with pytest.raises(DomainError, match="bad_request"):
        rules.checked_dates(day, "2027-01-01")


@pytest.mark.parametrize("hours", [1, rules.HOURS_MAXIMUM])
def test_hours(hours: int) -> None:
    assert rules.checked_hours(hours) == hours


@pytest.mark.parametrize("hours", [-1, 0, rules.HOURS_MAXIMUM + 1])
def test_hours_out_of_range(hours: int) -> None:
    with pytest.raises(DomainError, match="hours_out_of_range"):
        rules.checked_hours(hours)


@pytest.mark.parametrize("number", [0, rules.LESSON_NUMBER_MAXIMUM + 1])
def test_bad_lesson_numbers(number: int) -> None:
    with pytest.raises(DomainError, match="bad_request"):
        rules.checked_number(number)


def test_times_with_their_offset() -> None:
    found = rules.checked_times("2026-11-23T17:00:00+08:00", "2026-11-23T10:00:00.000Z")
    assert found == (START_MS, START_MS + HOUR_MS)
    assert rules.checked_times("2026-11-23T00:00:00Z", "2026-11-23T08:00:00Z")


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2026-11-23T09:00:00", "2026-11-23T10:00:00Z", "bad_request"),  # where?
        ("tomorrow", "2026-11-23T10:00:00Z", "bad_request"),
        ("2026-11-23T09:00:00Z", "", "bad_request"),
        ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z", "lesson_times_reversed"),
        ("2026-11-23T09:00:00Z", "2026-11-23T16:59:00+08:00", "lesson_times_reversed"),
        ("2026-11-23T00:00:00Z", "2026-11-23T08:00:00.001Z", "lesson_too_long"),
    ],
)
def test_bad_times(start: str, end: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.checked_times(start, end)
    assert refused.value.code == code


def test_a_scheme_says_how_long_a_class_hour_is() -> None:
    assert Scheme("x/1", "x", 1, "X", json.dumps({"class_hour_ms": 1_800_000}), 0).rules.class_hour_ms == 1_800_000


def test_a_scheme_that_says_nothing_of_challenges_asks_for_none() -> None:
    for said in ("{}", '{"challenges": "none"}'):
        assert Scheme("a/1", "a", 1, "A", said, 0).challenges is None


def test_a_schemes_challenges() -> None:
    said = checked_parameters({"class_hour_ms": 1, "challenges": {"limit_ms": 600_000, "answer_ms": 30_000}})
    rule = Scheme("a/1", "a", 1, "A", said, 0).challenges
    assert rule == ChallengeRule(600_000, 30_000)
    assert rule is not None
    assert (rule.earliest_ms, rule.latest_ms) == (200_000, 500_000)
    assert Scheme("a/1", "a", 1, "A", '{"challenges": {}}', 0).challenges == ChallengeRule(900_000, 60_000)


@pytest.mark.parametrize(
    "challenges",
    [
        "some",
        [],
        {"often": 1},
        {"limit_ms": "900000"},
        {"limit_ms": True},
        {"limit_ms": 900_001},
        {"answer_ms": 999},
        {"limit_ms": 65_536_000},
        {"limit_ms": 180_000, "answer_ms": 50_000},
    ],
)
def test_challenges_that_make_no_sense(challenges: object) -> None:
    with pytest.raises(DomainError):
        checked_parameters({"class_hour_ms": 2_700_000, "challenges": challenges})


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("rounding", "up", "down or nearest"),
        ("daily_cap_ms", 0, "a whole number from 1 to 86400000"),
        ("shortest_ms", "5", "a whole number from 1 to 86400000"),
        ("complete_percent", 101, "a whole number from 1 to 100"),
        ("late_ms", -1, "a whole number from 0 to 86400000"),
    ],
)
def test_what_a_scheme_says_of_class_hours_is_checked(field: str, value: object, problem: str) -> None:
    with pytest.raises(DomainError) as refused:
        checked_parameters({"class_hour_ms": 2_700_000, field: value})
    assert (refused.value.code, refused.value.data) == ("bad_request", {"field": field, "problem": problem})


@pytest.mark.parametrize("unit", [0, -1, None, "45", True, 1.5])
def test_a_class_hour_is_whole_milliseconds(unit: object) -> None:
    with pytest.raises(DomainError):
        checked_parameters({"class_hour_ms": unit})


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ({}, None),
        ({"window_blur": "ignore"}, None),
        ({"window_blur": "not_counted"}, AttentionRule(True, None)),
        ({"idle_ms": 300_000}, AttentionRule(False, 300_000)),
        ({"window_blur": "not_counted", "idle_ms": 10_000}, AttentionRule(True, 10_000)),
    ],
)
def test_a_scheme_says_what_it_asks_of_pages_in_front(said: dict[str, object], asks: AttentionRule | None) -> None:
    assert Scheme("a/1", "a", 1, "A", checked_parameters({"class_hour_ms": 1, **said}), 0).attention == asks


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("window_blur", one) for one in ("", None, True, "counted")),
        *(("idle_ms", one) for one in (None, 0, 9_999, 8 * 3_600_000 + 1, True, 60_000.0, "60000")),
    ],
)
def test_what_a_scheme_may_not_say_of_attention(field: str, value: object) -> None:
    with pytest.raises(DomainError, match="bad_request") as caught:
        checked_parameters({"class_hour_ms": 1, field: value})
    assert caught.value.data["field"] == field
