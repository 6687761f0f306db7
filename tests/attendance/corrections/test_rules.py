"""Corrections keep every minute in its bounds, balance to nothing, can be undone and replayed (invariant I9)."""

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.corrections import rules
from server.attendance.corrections.rules import AppealState, Line, Measure, Minute, Standing, Verdict
from server.attendance.minutes import MINUTE_MS
from server.core.errors import DomainError

PEOPLE = [f"{number:016x}" for number in range(1, 4)]


@st.composite
def minutes(draw: st.DrawFn) -> Minute:
    delivered = draw(st.integers(0, MINUTE_MS))
    counted = draw(st.integers(0, delivered))
    fault = draw(st.integers(0, delivered - counted))
    return Minute(draw(st.sampled_from(PEOPLE)), draw(st.integers(0, 2**32 - 1)), delivered, fault, counted)


many = st.lists(minutes(), max_size=6, unique_by=lambda one: (one.person_id, one.slot))
measures = st.sampled_from([Measure.FULL, Measure.FAULT, Measure.NONE])


def lines(measure: Measure, known: list[Minute]) -> tuple[Line, ...]:
    with suppress(DomainError):  # there was nothing to change
        return rules.lines_of(measure, known)
    return ()


@given(many, measures)
def test_a_minute_never_counts_more_than_was_delivered_or_less_than_nothing(known: list[Minute], how: Measure) -> None:
    by_key = {(one.person_id, one.slot): one for one in known}
    for line in lines(how, known):
        minute = by_key[line.key]
        assert line.before_ms == minute.counted_ms != line.after_ms
        assert 0 <= line.after_ms <= minute.delivered_ms


def test_a_line_knows_its_change_and_a_lesson_its_appeals() -> None:
    assert [Line(PEOPLE[0], 7, *both).change_ms for both in ((20_000, 60_000), (60_000, 0), (5, 5))] == [
        40_000,
        -60_000,
        0,
    ]
    assert rules.APPEALS_MOST == 20


@given(many)
def test_what_each_measure_makes(known: list[Minute]) -> None:
    for how, expected in (
        (Measure.FULL, lambda one: one.delivered_ms),
        (Measure.FAULT, lambda one: one.counted_ms + one.fault_ms),
        (Measure.NONE, lambda one: 0),
    ):
        changed = {line.key: line.after_ms for line in lines(how, known)}
        for one in known:
            assert changed.get((one.person_id, one.slot), one.counted_ms) == expected(one)


def test_a_fault_never_gives_more_than_was_delivered() -> None:
    (line,) = rules.lines_of(Measure.FAULT, [Minute(PEOPLE[0], 7, 50_000, 30_000, 40_000)])
    assert line.after_ms == 50_000


@given(many, measures)
def test_double_entry_balances(known: list[Minute], how: Measure) -> None:
    made = rules.postings("school", lines(how, known))
    sums: Counter[str] = Counter()
    for one in made:
        sums[one.account] += one.ms
    assert sum(one.ms for one in made) == 0
    assert sums["school"] == -sum(line.change_ms for line in lines(how, known))


@given(many, st.lists(measures, max_size=5))
def test_a_replay_gives_what_counts_and_backwards_undoes_it(known: list[Minute], plan: list[Measure]) -> None:
    now = {(one.person_id, one.slot): one for one in known}
    entries: list[tuple[Line, ...]] = []
    for how in plan:
        made = lines(how, list(now.values()))
        if not made:
            continue
        entries.append(made)
        for line in made:
            old = now[line.key]
            left = min(old.fault_ms, old.delivered_ms - line.after_ms)
            now[line.key] = Minute(old.person_id, old.slot, old.delivered_ms, left, line.after_ms)
    counted = rules.replay(entries)
    assert counted == rules.replay(list(entries))
    for line in (line for entry in entries for line in entry):
        assert counted[line.key] == now[line.key].counted_ms
    undone = rules.replay([*entries, *(rules.backwards(entry) for entry in reversed(entries))])
    assert undone == {(one.person_id, one.slot): one.counted_ms for one in known if (one.person_id, one.slot) in undone}


def test_an_entry_that_does_not_follow_is_no_history() -> None:
    first, again = Line(PEOPLE[0], 7, 0, 60_000), Line(PEOPLE[0], 7, 0, 30_000)
    with pytest.raises(ValueError, match="did not end"):
        rules.replay([[first], [again]])
    with pytest.raises(ValueError, match="did not end"):
        rules.replay([[first, first]])
    for before, after in ((-1, 5), (0, MINUTE_MS + 1), (MINUTE_MS + 1, 0), (5, -1)):
        with pytest.raises(ValueError, match="leaves the minute"):
            rules.replay([[Line(PEOPLE[0], 7, before, after)]])
    assert rules.replay([[Line(PEOPLE[0], 7, 0, MINUTE_MS)], [Line(PEOPLE[0], 7, MINUTE_MS, 0)]]) == {(PEOPLE[0], 7): 0}


def test_a_line_must_begin_at_what_counts_now() -> None:
    line = Line(PEOPLE[0], 7, 20_000, 60_000)
    rules.check_fits([line], {}, {line.key: 20_000})
    rules.check_fits([line], {line.key: 20_000}, {line.key: 0})
    rules.check_fits([Line(PEOPLE[0], 7, 0, 1)], {}, {})
    for now, recorded in (({}, {}), ({}, {line.key: 19_999}), ({line.key: 0}, {line.key: 20_000})):
        with pytest.raises(DomainError) as refused:
            rules.check_fits([line], now, recorded)
        assert (refused.value.code, refused.value.data) == ("correction_stale", {"slot": 7})


def test_nothing_to_change_is_no_correction() -> None:
    whole = Minute(PEOPLE[0], 7, 60_000, 0, 60_000)
    for how in (Measure.FULL, Measure.FAULT):
        with pytest.raises(DomainError, match="correction_empty"):
            rules.lines_of(how, [whole])
    with pytest.raises(DomainError, match="bad_request"):
        rules.lines_of(Measure.REVERSE, [whole])


@given(many, measures)
def test_lines_are_kept_as_they_are_and_in_order(known: list[Minute], how: Measure) -> None:
    made = lines(how, known)
    assert rules.unpack(rules.pack(made)) == made
    assert list(made) == sorted(made, key=lambda line: line.key)
    assert len(rules.pack(made)) == 16 * len(made)


def test_reasons_have_bounds() -> None:
    assert rules.checked_reason("  网络 断开\n了 ") == "网络 断开 了"
    assert (len(rules.checked_reason("字" * 300)), rules.checked_reason("字")) == (300, "字")
    for text in ("", " \n", "字" * 301):
        with pytest.raises(DomainError) as refused:
            rules.checked_reason(text)
        assert (refused.value.code, refused.value.data) == ("text_missing", {"maximum": 300})


def test_where_things_stand() -> None:
    assert rules.standing(None, False) is Standing.PROPOSED
    assert rules.standing(Verdict.REFUSED, False) is Standing.REFUSED
    assert rules.standing(Verdict.APPROVED, False) is Standing.APPROVED
    assert rules.standing(Verdict.APPROVED, True) is Standing.OBJECTED
    for answered, made, state in (
        (False, [], AppealState.OPEN),
        (True, [], AppealState.REFUSED),
        (False, [Standing.REFUSED], AppealState.OPEN),
        (False, [Standing.REFUSED, Standing.PROPOSED], AppealState.PROPOSED),
        (True, [Standing.REFUSED], AppealState.REFUSED),
        (False, [Standing.APPROVED], AppealState.CORRECTED),
        (False, [Standing.OBJECTED, Standing.REFUSED], AppealState.CORRECTED),
    ):
        assert rules.appeal_state(answered, made) is state
