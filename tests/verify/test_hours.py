"""What a scheme makes of time: each edge by an example, then what holds of any class.

`hours.json` is read by web/src/verify/hours.test.ts too; `drawn` made it, and `said` what is expected of each case.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.hours import (
    DAY_MS,
    MINUTE_MS,
    Attended,
    Cut,
    Excess,
    LessonSettled,
    Nonsense,
    Rounding,
    Rules,
    cuts,
    day_of,
    divided,
    opened_ms,
    rules_of,
    settle,
)

FILE = Path(__file__).parent / "hours.json"
UNIT = 2_700_000
DEFAULT = Rules(UNIT)
HOUR_MS = 60 * MINUTE_MS
#: 2026-11-23 00:00 in China
MIDNIGHT = 29_923_200 - 8 * 60
PARAMETERS = {
    "class_hour_ms": UNIT,
    "rounding": "nearest",
    "daily_cap_ms": 8 * HOUR_MS,
    "shortest_ms": 5 * MINUTE_MS,
    "complete_percent": 90,
    "late_ms": 0,
}


def attended(number: int, first: int, *each: int, open_ms: int = HOUR_MS, first_ms: int | None = None) -> Attended:
    """Minutes on end from `first` on."""
    minutes = {first + at: ms for at, ms in enumerate(each)}
    return Attended(number, minutes, open_ms, first * MINUTE_MS, first_ms)


def counts(rules: Rules, *lessons: Attended) -> list[tuple[int, int, int]]:
    return [(one.confirmed_ms, one.capped_ms, one.short_ms) for one in settle(rules, lessons).lessons]


def only(rules: Rules, one: Attended) -> LessonSettled:
    return settle(rules, [one]).lessons[0]


def test_what_a_scheme_says_is_read_and_what_it_does_not_say_is_none() -> None:
    assert rules_of({"class_hour_ms": 1_800_000, "pause_grace_ms": 5}) == Rules(1_800_000)
    assert rules_of({**PARAMETERS, "challenges": "none"}) == Rules(
        UNIT, Rounding.NEAREST, 8 * HOUR_MS, 5 * MINUTE_MS, 90, 0
    )
    assert rules_of({"class_hour_ms": UNIT, "rounding": "down", "daily_cap_ms": None}) == DEFAULT
    assert rules_of({"class_hour_ms": UNIT, "rounding": "floor", "challenges": "none"}) == DEFAULT
    most = {"class_hour_ms": DAY_MS, "daily_cap_ms": DAY_MS, "shortest_ms": DAY_MS, "late_ms": DAY_MS}
    assert rules_of({**most, "complete_percent": 100}) == Rules(DAY_MS, Rounding.DOWN, DAY_MS, DAY_MS, 100, DAY_MS)
    least = {"class_hour_ms": 1, "daily_cap_ms": 1, "shortest_ms": 1, "late_ms": 0, "complete_percent": 1}
    assert rules_of(least) == Rules(1, Rounding.DOWN, 1, 1, 1, 0)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("class_hour_ms", None, "milliseconds are expected"),
        *(("class_hour_ms", bad, "a whole number from 1 to 86400000") for bad in (0, -1, 1.5, "1", True, DAY_MS + 1)),
        *(("daily_cap_ms", bad, "a whole number from 1 to 86400000") for bad in (0, 2.0, False, DAY_MS + 1)),
        *(("shortest_ms", bad, "a whole number from 1 to 86400000") for bad in (0, "", DAY_MS + 1)),
        *(("complete_percent", bad, "a whole number from 1 to 100") for bad in (0, 101, 99.5)),
        *(("late_ms", bad, "a whole number from 0 to 86400000") for bad in (-1, "0", DAY_MS + 1)),
        *(("rounding", bad, "down or nearest") for bad in ("up", None, 1, ["down"])),
    ],
)
def test_nonsense_is_refused_by_name(field: str, value: Any, problem: str) -> None:
    with pytest.raises(Nonsense) as refused:
        rules_of({**PARAMETERS, field: value})
    assert (refused.value.field, refused.value.problem) == (field, problem)
    assert str(refused.value) == f"{field}: {problem}"


@pytest.mark.parametrize(
    ("rounding", "unit", "ms", "hours", "left"),
    [
        (Rounding.DOWN, UNIT, 0, 0, 0),
        (Rounding.DOWN, UNIT, 2_699_000, 0, 2_699_000),
        (Rounding.DOWN, UNIT, 2_699_999, 0, 2_699_999),
        (Rounding.DOWN, UNIT, 2_700_000, 1, 0),
        (Rounding.DOWN, UNIT, 5_399_999, 1, 2_699_999),
        (Rounding.NEAREST, UNIT, 1_349_999, 0, 1_349_999),
        (Rounding.NEAREST, UNIT, 1_350_000, 1, 0),
        (Rounding.NEAREST, UNIT, 2_700_001, 1, 1),
        (Rounding.NEAREST, UNIT, 4_049_999, 1, 1_349_999),
        (Rounding.NEAREST, UNIT, 4_050_000, 2, 0),
        (Rounding.NEAREST, 3, 1, 0, 1),
        (Rounding.NEAREST, 3, 2, 1, 0),
    ],
)
def test_the_edges_of_a_class_hour(rounding: Rounding, unit: int, ms: int, hours: int, left: int) -> None:
    assert divided(Rules(unit, rounding), ms) == (hours, left)


def test_a_negative_sum_is_impossible() -> None:
    with pytest.raises(ValueError, match="never negative"):
        divided(DEFAULT, -1)


def test_a_course_is_summed_once_and_not_lesson_by_lesson() -> None:
    half = [MINUTE_MS] * 30
    found = settle(DEFAULT, [attended(1, MIDNIGHT, *half), attended(2, MIDNIGHT + 60, *half)])
    assert (found.class_hours, found.remainder_ms, found.confirmed_ms) == (1, 900_000, 3_600_000)
    assert (found.capped_ms, found.short_ms) == (0, 0)
    assert settle(DEFAULT, []).confirmed_ms == 0


def test_the_cap_is_over_all_lessons_of_a_local_day_the_earliest_first_to_the_millisecond() -> None:
    rules = Rules(UNIT, daily_cap_ms=90_001)
    later, earlier = attended(1, MIDNIGHT + 10, 60_000, 60_000), attended(2, MIDNIGHT, 50_000)
    assert counts(rules, later, earlier) == [(40_001, 79_999, 0), (50_000, 0, 0)]
    found = settle(rules, [later, earlier])
    assert (found.confirmed_ms, found.capped_ms) == (90_001, 79_999)


def test_what_reaches_the_cap_exactly_counts_and_one_millisecond_more_does_not() -> None:
    rules = Rules(UNIT, daily_cap_ms=120_000)
    assert counts(rules, attended(1, MIDNIGHT, 60_000, 60_000)) == [(120_000, 0, 0)]
    assert counts(rules, attended(1, MIDNIGHT, 60_000, 60_000, 1)) == [(120_000, 1, 0)]


def test_in_a_minute_of_two_lessons_the_lower_number_counts_first() -> None:
    rules = Rules(UNIT, daily_cap_ms=40_000)
    assert counts(rules, attended(2, MIDNIGHT, 30_000), attended(1, MIDNIGHT, 30_000)) == [
        (30_000, 0, 0),
        (10_000, 20_000, 0),
    ]


def test_the_day_ends_at_midnight_in_china() -> None:
    assert day_of(MIDNIGHT - 1) + 1 == day_of(MIDNIGHT) == day_of(MIDNIGHT + 1_439) == 20_780
    assert day_of(-480) == 0
    assert day_of(-481) == -1
    rules = Rules(UNIT, daily_cap_ms=60_000)
    assert counts(rules, attended(1, MIDNIGHT - 2, 60_000, 1, 60_000, 1)) == [(120_000, 2, 0)]


def test_a_stretch_that_lasts_exactly_so_long_counts_and_a_shorter_one_does_not() -> None:
    rules = Rules(UNIT, shortest_ms=150_000)
    assert counts(rules, attended(1, MIDNIGHT, 60_000, 60_000, 30_000)) == [(150_000, 0, 0)]
    assert counts(rules, attended(1, MIDNIGHT, 60_000, 60_000, 29_999)) == [(0, 0, 149_999)]


def test_a_stretch_ends_with_a_minute_in_which_nothing_counts_and_with_its_lesson() -> None:
    rules = Rules(UNIT, shortest_ms=100_000)
    split = attended(1, MIDNIGHT, 60_000, 60_000, 0, 60_000, 30_000)
    assert counts(rules, split) == [(120_000, 0, 90_000)]
    apart = Attended(1, {MIDNIGHT: 60_000, MIDNIGHT + 2: 60_000}, HOUR_MS, 0, None)
    assert counts(rules, apart) == [(0, 0, 120_000)]
    two = attended(1, MIDNIGHT, 60_000), attended(2, MIDNIGHT + 1, 60_000)
    assert counts(rules, *two) == [(0, 0, 60_000), (0, 0, 60_000)]


def test_what_is_too_short_takes_no_room_of_the_day() -> None:
    rules = Rules(UNIT, daily_cap_ms=100_000, shortest_ms=90_000)
    assert counts(rules, attended(1, MIDNIGHT, 80_000), attended(2, MIDNIGHT + 9, 60_000, 60_000)) == [
        (0, 0, 80_000),
        (100_000, 20_000, 0),
    ]


def test_what_does_not_count_is_named_minute_by_minute() -> None:
    rules = Rules(UNIT, daily_cap_ms=100_000, shortest_ms=90_000)
    lessons = [attended(1, MIDNIGHT, 80_000), attended(2, MIDNIGHT + 9, 60_000, 60_000, 1)]
    assert cuts(rules, lessons) == {
        1: {MIDNIGHT: Cut(0, 80_000)},
        2: {MIDNIGHT + 10: Cut(20_000, 0), MIDNIGHT + 11: Cut(1, 0)},
    }
    assert cuts(DEFAULT, lessons) == {}
    assert [one.value for one in Excess] == ["daily_cap", "too_short"]


def test_a_lesson_opened_within_its_first_minute_that_was_delivered() -> None:
    assert opened_ms({5: 0, 7: 60_000, 6: 20_000}) == 6 * MINUTE_MS + 40_000
    assert opened_ms({5: 60_000}) == 5 * MINUTE_MS
    assert opened_ms({}) == opened_ms({7: 0}) == 0  # never


def test_a_lesson_is_complete_at_the_percentage_itself_of_what_was_delivered() -> None:
    rules = Rules(UNIT, complete_percent=33)
    assert only(rules, attended(1, MIDNIGHT, 33, open_ms=100)).complete is True
    assert only(rules, attended(1, MIDNIGHT, 33, open_ms=101)).complete is False
    assert only(rules, attended(1, MIDNIGHT, 100, open_ms=303)).complete is True
    assert only(rules, attended(1, MIDNIGHT, open_ms=1)).complete is False
    assert only(rules, attended(1, MIDNIGHT, open_ms=0)).complete is None
    assert only(DEFAULT, attended(1, MIDNIGHT, 100, open_ms=100)).complete is None
    capped = replace(rules, daily_cap_ms=32)
    assert only(capped, attended(1, MIDNIGHT, 100, open_ms=100)).complete is False


def test_who_comes_later_than_the_scheme_says_is_late_and_loses_nothing_by_it() -> None:
    rules, opened_ms = Rules(UNIT, late_ms=300_000), MIDNIGHT * MINUTE_MS
    in_time = attended(1, MIDNIGHT, 100, first_ms=opened_ms + 300_000)
    late = replace(in_time, first_ms=opened_ms + 300_001)
    assert only(rules, in_time).late is False
    assert (only(rules, late).late, only(rules, late).confirmed_ms) == (True, 100)
    assert only(rules, replace(late, first_ms=None)).late is None
    assert only(DEFAULT, late).late is None
    assert only(Rules(UNIT, late_ms=0), replace(late, first_ms=opened_ms + 1)).late is True


def test_the_same_evidence_gives_both_results_under_two_schemes() -> None:
    two_days = [attended(1, MIDNIGHT, *[MINUTE_MS] * 180), attended(2, MIDNIGHT + 1_440, *[MINUTE_MS] * 60)]
    forty_five, thirty = Rules(UNIT), Rules(1_800_000)
    capped = 2 * HOUR_MS
    found = [
        settle(rules, two_days)
        for rules in (forty_five, thirty, *(replace(one, daily_cap_ms=capped) for one in (forty_five, thirty)))
    ]
    assert [(one.class_hours, one.remainder_ms, one.capped_ms) for one in found] == [
        (5, 900_000, 0),
        (8, 0, 0),
        (4, 0, HOUR_MS),
        (6, 0, HOUR_MS),
    ]


#: a class of some lessons within two local days, which share minutes at times
LESSONS = st.lists(
    st.builds(
        lambda each, first, open_ms: (first, each, open_ms),
        st.lists(st.sampled_from([0, 1, 20_000, MINUTE_MS]) | st.integers(0, MINUTE_MS), max_size=8),
        st.integers(MIDNIGHT - 6, MIDNIGHT + 6),
        st.integers(0, 8 * MINUTE_MS),
    ),
    max_size=4,
).map(lambda found: [attended(at, first, *each, open_ms=ms) for at, (first, each, ms) in enumerate(found, 1)])
RULES = st.builds(
    Rules,
    st.integers(1, 200_000),
    st.sampled_from(Rounding),
    st.none() | st.integers(1, 300_000),
    st.none() | st.integers(1, 200_000),
    st.none() | st.integers(1, 100),
    st.none() | st.integers(0, 100),
)


@given(RULES, LESSONS, st.randoms(use_true_random=False))
def test_no_order_of_lessons_or_minutes_matters(rules: Rules, lessons: list[Attended], chance: Random) -> None:
    mixed = [replace(one, minutes=dict(chance.sample(list(one.minutes.items()), len(one.minutes)))) for one in lessons]
    chance.shuffle(mixed)
    assert settle(rules, mixed) == settle(rules, lessons)


@given(RULES, LESSONS)
def test_nothing_is_lost_and_the_lessons_are_the_class(rules: Rules, lessons: list[Attended]) -> None:
    found = settle(rules, lessons)
    for one, settled in zip(lessons, found.lessons, strict=True):
        parts = settled.confirmed_ms, settled.capped_ms, settled.short_ms
        assert min(parts) >= 0
        assert sum(parts) == sum(one.minutes.values())
    named = cuts(rules, lessons)
    for settled in found.lessons:
        each = named.get(settled.number, {}).values()
        assert (sum(one.capped_ms for one in each), sum(one.short_ms for one in each)) == (
            settled.capped_ms,
            settled.short_ms,
        )
    for part in ("confirmed_ms", "capped_ms", "short_ms"):
        assert getattr(found, part) == sum(getattr(one, part) for one in found.lessons)
    assert divided(rules, found.confirmed_ms) == (found.class_hours, found.remainder_ms)
    whole = found.class_hours * rules.class_hour_ms + found.remainder_ms
    if rules.rounding is Rounding.DOWN:
        assert whole == found.confirmed_ms
        assert found.remainder_ms < rules.class_hour_ms
    else:
        assert 0 <= whole - found.confirmed_ms <= rules.class_hour_ms // 2
        assert 2 * found.remainder_ms < rules.class_hour_ms


@given(RULES, LESSONS, st.integers(1, 300_000), st.integers(0, 100_000))
def test_a_higher_cap_or_a_shorter_stretch_never_takes_anything(
    rules: Rules, lessons: list[Attended], least: int, more: int
) -> None:
    for narrow, wide in (
        (replace(rules, daily_cap_ms=least), replace(rules, daily_cap_ms=least + more)),
        (replace(rules, daily_cap_ms=least), replace(rules, daily_cap_ms=None)),
        (replace(rules, shortest_ms=least + more), replace(rules, shortest_ms=least)),
        (replace(rules, shortest_ms=least), replace(rules, shortest_ms=None)),
    ):
        assert settle(narrow, lessons).confirmed_ms <= settle(wide, lessons).confirmed_ms


@given(RULES, LESSONS)
def test_no_day_has_more_than_its_cap(rules: Rules, lessons: list[Attended]) -> None:
    days = {day_of(slot) for one in lessons for slot in one.minutes}
    if rules.daily_cap_ms is not None:
        assert settle(rules, lessons).confirmed_ms <= rules.daily_cap_ms * len(days)


def drawn(draw: Random) -> dict[str, Any]:
    """A class of few lessons about midnight, under a scheme that cuts a good part of it."""

    def lesson(number: int) -> dict[str, Any]:
        first = MIDNIGHT + draw.randrange(-8, 4)
        size = draw.randrange(9)
        minutes = {first + at: draw.choice([0, 60_000, 60_000, draw.randrange(60_000)]) for at in range(size)}
        came = draw.choice([None, first * MINUTE_MS + draw.randrange(600_000)])
        open_ms = draw.choice([0, size * MINUTE_MS])
        pairs = [[slot, ms] for slot, ms in minutes.items()]
        times = {"open_ms": open_ms, "opened_ms": first * MINUTE_MS, "first_ms": came}
        return {"number": number, "minutes": pairs, **times}

    parameters = {
        "class_hour_ms": draw.choice([UNIT, 1_800_000, 60_001]),
        "rounding": draw.choice(["down", "nearest"]),
        "daily_cap_ms": draw.choice([None, 180_000, 300_001]),
        "shortest_ms": draw.choice([None, 100_000, 120_000]),
        "complete_percent": draw.choice([None, 50, 90]),
        "late_ms": draw.choice([None, 0, 300_000]),
    }
    said = {name: value for name, value in parameters.items() if value is not None}
    return {"parameters": said, "lessons": [lesson(number) for number in range(1, draw.randrange(1, 5))]}


def said(case: dict[str, Any]) -> dict[str, Any]:
    """What is to be said of a case."""
    lessons = [Attended(**{**one, "minutes": dict(one["minutes"])}) for one in case["lessons"]]
    return asdict(settle(rules_of(case["parameters"]), lessons))


def test_the_stored_cases_are_settled_as_in_the_checking_page() -> None:
    cases = json.loads(FILE.read_text("utf-8"))
    assert len(cases) == 200
    for case in cases:
        assert json.loads(json.dumps(said(case))) == case["said"], case
    for part in ("class_hours", "remainder_ms", "capped_ms", "short_ms"):
        assert sum(bool(case["said"][part]) for case in cases) >= 20, part
    lessons = [one for case in cases for one in case["said"]["lessons"]]
    for part in ("complete", "late"):
        assert {one[part] for one in lessons} == {True, False, None}, part
