"""A live lesson's reducer and when the lesson counts: absence, breaks, outages, their edges and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.intervals import Intervals, intersect, total, union
from server.attendance.minutes import Delivered
from server.attendance.timeline import delivered_until
from server.core.errors import DomainError
from server.live.lesson import (
    ABANDONED_AFTER_MS,
    ABSENT_AFTER_MS,
    ALLOWED,
    FAULT_AFTER_MS,
    Event,
    Kind,
    Lesson,
    State,
    apply,
    decide,
    outages,
    rebuild,
    timeline,
)
from server.training.rules import PAUSE_GRACE_MS

T = 1_000_000
LATER = T + 10_000_000
Step = tuple[int, Kind] | tuple[int, Kind, int]


def happen(*steps: Step) -> list[Event]:
    """The events of commands at these moments after T; a third number is since when (server_back)."""
    events: list[Event] = []
    lesson = Lesson()
    for at_ms, kind, *since in steps:
        event = decide(lesson, kind, T + at_ms, "", T + since[0] if since else None)
        events.append(event)
        lesson = apply(lesson, event)
    return events


def started(*steps: Step) -> list[Event]:
    return happen((0, Kind.STARTING), (0, Kind.STARTED), *steps)


def delivered(events: list[Event], now_ms: int = LATER) -> tuple[Intervals, Intervals]:
    """Open and faulty spans after T."""
    found = delivered_until(timeline(events), now_ms)
    moved = (tuple((a - T, b - T) for a, b in one) for one in (found.open, found.fault))
    opened, fault = moved
    return opened, fault


def opened(events: list[Event], now_ms: int = LATER) -> Intervals:
    spans, fault = delivered(events, now_ms)
    assert fault == ()
    return spans


def test_open_from_started_to_ended() -> None:
    assert opened(happen((0, Kind.STARTING), (700, Kind.STARTED), (5_000, Kind.ENDED))) == ((700, 5_000),)


def test_a_lesson_that_goes_on_is_open_until_now() -> None:
    assert opened(started(), T + 1_234) == ((0, 1_234),)


def test_before_it_has_started_nothing_counts() -> None:
    assert opened([]) == opened(happen((0, Kind.STARTING))) == ()
    again = happen(
        (0, Kind.STARTING), (5, Kind.START_FAILED), (10, Kind.STARTING), (20, Kind.STARTED), (30, Kind.ENDED)
    )
    assert opened(again) == ((20, 30),)


def test_a_break_does_not_count() -> None:
    events = started((1_000, Kind.BREAK_BEGAN), (3_000, Kind.RESUMED), (4_000, Kind.ENDED))
    assert opened(events) == ((0, 1_000), (3_000, 4_000))


@pytest.mark.parametrize("held", [1, PAUSE_GRACE_MS - 1, PAUSE_GRACE_MS])
def test_a_pause_within_its_grace_counts(held: int) -> None:
    assert PAUSE_GRACE_MS == 60_000
    events = started((1_000, Kind.PAUSED), (1_000 + held, Kind.RESUMED), (200_000, Kind.ENDED))
    assert opened(events) == ((0, 200_000),)


def test_a_longer_pause_counts_until_its_grace_is_over() -> None:
    events = started((1_000, Kind.PAUSED), (61_001, Kind.RESUMED), (200_000, Kind.ENDED))
    assert opened(events) == ((0, 61_000), (61_001, 200_000))
    assert opened(started((1_000, Kind.PAUSED))) == ((0, 61_000),)
    assert opened(started((1_000, Kind.PAUSED), (5_000, Kind.BREAK_BEGAN))) == ((0, 5_000),)
    assert opened(started((1_000, Kind.PAUSED), (90_000, Kind.ENDED))) == ((0, 61_000),)


def test_the_grace_of_a_pause_is_the_schemes() -> None:
    events = started((1_000, Kind.PAUSED), (9_000, Kind.RESUMED), (10_000, Kind.ENDED))
    assert delivered_until(timeline(events, 2_000), LATER).open == ((T, T + 3_000), (T + 9_000, T + 10_000))
    assert delivered_until(timeline(events, 0), LATER).open == ((T, T + 1_000), (T + 9_000, T + 10_000))


def test_an_absence_in_a_pause_counts_no_longer_than_either_grace() -> None:
    events = started((1_000, Kind.PAUSED), (30_000, Kind.INSTRUCTOR_LEFT))
    assert opened(events) == ((0, 61_000),)
    early = started((1_000, Kind.INSTRUCTOR_LEFT), (30_000, Kind.PAUSED))
    assert opened(early) == ((0, 61_000),)


@pytest.mark.parametrize("away", [1, ABSENT_AFTER_MS - 1, ABSENT_AFTER_MS])
def test_an_instructor_back_within_a_minute_costs_nothing(away: int) -> None:
    assert ABSENT_AFTER_MS == 60_000
    events = started((1_000, Kind.INSTRUCTOR_LEFT), (1_000 + away, Kind.INSTRUCTOR_BACK), (200_000, Kind.ENDED))
    assert opened(events) == ((0, 200_000),)


def test_a_longer_absence_closes_the_lesson_after_a_minute() -> None:
    events = started((1_000, Kind.INSTRUCTOR_LEFT), (61_001, Kind.INSTRUCTOR_BACK), (200_000, Kind.ENDED))
    assert opened(events) == ((0, 61_000), (61_001, 200_000))


def test_an_absence_that_goes_on_closes_at_its_minute_and_not_before() -> None:
    events = started((1_000, Kind.INSTRUCTOR_LEFT))
    assert opened(events, T + 50_000) == ((0, 50_000),)
    assert opened(events, T + 61_000) == opened(events) == ((0, 61_000),)


def test_leaving_twice_does_not_prolong_the_minute() -> None:
    assert opened(started((1_000, Kind.INSTRUCTOR_LEFT), (50_000, Kind.INSTRUCTOR_LEFT))) == ((0, 61_000),)


def test_an_end_during_an_absence() -> None:
    assert opened(started((1_000, Kind.INSTRUCTOR_LEFT), (20_000, Kind.ENDED))) == ((0, 20_000),)
    assert opened(started((1_000, Kind.INSTRUCTOR_LEFT), (90_000, Kind.ENDED))) == ((0, 61_000),)


def test_an_instructor_away_when_the_break_ends_has_the_rest_of_the_minute() -> None:
    left = (10_000, Kind.INSTRUCTOR_LEFT)
    short = started((5_000, Kind.BREAK_BEGAN), left, (30_000, Kind.RESUMED))
    assert opened(short) == ((0, 5_000), (30_000, 70_000))
    long = started((5_000, Kind.BREAK_BEGAN), left, (90_000, Kind.RESUMED), (95_000, Kind.INSTRUCTOR_BACK))
    assert opened(long, T + 100_000) == ((0, 5_000), (95_000, 100_000))


@pytest.mark.parametrize("outage", [1, FAULT_AFTER_MS])
def test_an_outage_of_a_minute_is_a_hole_and_costs_nothing(outage: int) -> None:
    assert FAULT_AFTER_MS == 60_000
    back = 20_000 + outage
    events = started((back, Kind.SERVER_BACK, 20_000), (back + 5_000, Kind.INSTRUCTOR_BACK))
    assert delivered(events, T + 200_000) == (((0, 200_000),), ())


def test_a_longer_outage_is_a_fault_from_its_first_millisecond() -> None:
    events = started((80_001, Kind.SERVER_BACK, 20_000), (85_000, Kind.INSTRUCTOR_BACK))
    assert delivered(events, T + 200_000) == (((0, 20_000), (80_001, 200_000)), ((20_000, 80_001),))


def test_after_an_outage_the_instructor_has_a_minute_to_come_back() -> None:
    events = started((300_000, Kind.SERVER_BACK, 20_000))
    assert delivered(events) == (((0, 20_000), (300_000, 360_000)), ((20_000, 300_000),))


def test_an_outage_in_a_break_or_without_an_instructor_is_no_fault() -> None:
    in_break = started((10_000, Kind.BREAK_BEGAN), (300_000, Kind.SERVER_BACK, 20_000))
    assert delivered(in_break) == (((0, 10_000),), ())
    absent = started((10_000, Kind.INSTRUCTOR_LEFT), (300_000, Kind.SERVER_BACK, 100_000))
    assert delivered(absent) == (((0, 70_000),), ())


def test_an_outage_that_begins_within_the_absence_grace_is_a_fault() -> None:
    events = started((10_000, Kind.INSTRUCTOR_LEFT), (300_000, Kind.SERVER_BACK, 30_000))
    assert delivered(events) == (((0, 30_000),), ((30_000, 300_000),))


def test_how_long_nobody_was_there_is_known_also_of_a_short_outage() -> None:
    events = started((30_000, Kind.SERVER_BACK, 20_000), (200_000, Kind.SERVER_BACK, 100_000), (210_000, Kind.ENDED))
    assert outages(events) == ((T + 20_000, T + 30_000), (T + 100_000, T + 200_000))


def test_two_outages() -> None:
    events = started(
        (100_000, Kind.SERVER_BACK, 20_000),
        (105_000, Kind.INSTRUCTOR_BACK),
        (300_000, Kind.SERVER_BACK, 200_000),
        (305_000, Kind.INSTRUCTOR_BACK),
    )
    spans = ((0, 20_000), (100_000, 200_000), (300_000, 400_000))
    assert delivered(events, T + 400_000) == (spans, ((20_000, 100_000), (200_000, 300_000)))


def test_an_abandoned_lesson_counts_its_first_minute_of_absence_only() -> None:
    assert ABANDONED_AFTER_MS == 30 * 60_000
    events = started((5_000, Kind.INSTRUCTOR_LEFT), (5_001 + ABANDONED_AFTER_MS, Kind.ENDED))
    assert opened(events) == ((0, 65_000),)
    assert rebuild(events).ended_ms == T + 5_001 + ABANDONED_AFTER_MS


def refusal(kind: Kind, state: State) -> str:
    with pytest.raises(DomainError) as caught:
        decide(Lesson(state=state), kind, T)
    return caught.value.code


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_every_command_in_every_state(kind: Kind, state: State) -> None:
    if state in ALLOWED[kind]:
        assert decide(Lesson(state=state), kind, T).kind is kind
    elif state is State.ENDED:
        assert refusal(kind, state) == "lesson_ended"
    else:
        assert refusal(kind, state) == ("lesson_already_live" if kind is Kind.STARTING else "lesson_not_live")


def test_nothing_happens_after_the_end() -> None:
    assert all(State.ENDED not in states for states in ALLOWED.values())


def test_a_clock_that_is_behind_makes_no_event_before_the_last_one() -> None:
    lesson = rebuild(started())
    event = decide(lesson, Kind.BREAK_BEGAN, T - 5_000)
    assert (event.at_ms, event.seq) == (T, 3)


moves = st.lists(st.tuples(st.integers(0, 150_000), st.sampled_from(Kind), st.integers(0, 150_000)), max_size=14)


def run(parts: list[tuple[int, Kind, int]]) -> list[Event]:
    """Whatever is allowed of a list of wishes."""
    events, lesson, now = started(), rebuild(started()), T
    for passed, kind, down in parts:
        now += passed
        since = max(now - down, lesson.since_ms) if kind is Kind.SERVER_BACK else None
        try:
            event = decide(lesson, kind, now, "", since)
        except DomainError:
            continue
        events.append(event)
        lesson = apply(lesson, event)
    return events


@given(moves)
def test_transitions_are_always_in_order(parts: list[tuple[int, Kind, int]]) -> None:
    moments = [transition.at_ms for transition in timeline(run(parts))]
    assert moments == sorted(moments)


@given(moves)
def test_open_is_what_the_words_say(parts: list[tuple[int, Kind, int]]) -> None:
    """A second way to compute it: millisecond sets of teaching, breaks, absence and outages."""
    events = run(parts)
    end = events[-1].at_ms + 100_000
    teaching, absent, fault = [], [], []
    live_ms: int | None = None
    left_ms: int | None = None
    for event in events:
        if event.kind is Kind.SERVER_BACK:
            if event.at_ms - event.since_ms > FAULT_AFTER_MS:
                fault.append((event.since_ms, event.at_ms))
            left_ms = event.at_ms if left_ms is None else left_ms
        if event.kind in (Kind.STARTED, Kind.RESUMED) and live_ms is None:
            live_ms = event.at_ms
        if event.kind in (Kind.BREAK_BEGAN, Kind.ENDED) and live_ms is not None:
            teaching.append((live_ms, event.at_ms))
            live_ms = None
        if event.kind is Kind.INSTRUCTOR_LEFT and left_ms is None:
            left_ms = event.at_ms
        if event.kind is Kind.INSTRUCTOR_BACK and left_ms is not None:
            absent.append((left_ms + ABSENT_AFTER_MS, event.at_ms))
            left_ms = None
    teaching += [(live_ms, end)] if live_ms is not None else []
    absent += [(left_ms + ABSENT_AFTER_MS, end)] if left_ms is not None else []
    absent += _paused_too_long(events, end)
    found = delivered_until(timeline(events), end)
    present = _minus(union(teaching), union(absent))
    assert found.open == _minus(present, union(fault))
    assert intersect(found.open, found.fault) == ()
    assert total(intersect(found.fault, union(teaching))) == total(found.fault)
    assert Delivered(found.open, found.fault) == found


def _paused_too_long(events: list[Event], end: int) -> list[tuple[int, int]]:
    found, paused_ms = [], 0
    for event in events:
        if event.kind is Kind.PAUSED:
            paused_ms = event.at_ms
        elif event.kind in (Kind.RESUMED, Kind.BREAK_BEGAN, Kind.ENDED) and paused_ms:
            found.append((paused_ms + PAUSE_GRACE_MS, event.at_ms))
            paused_ms = 0
    return [*found, (paused_ms + PAUSE_GRACE_MS, end)] if paused_ms else found


def _minus(left: Intervals, right: Intervals) -> Intervals:
    outside, edge = [], 0
    for start, stop in right:
        outside.append((edge, start))
        edge = stop
    return intersect(left, union([*outside, (edge, LATER * 10)]))
