"""When somebody is due, and who is told to be asked otherwise: each rule by an example, then by any honest lesson."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.schedule import (
    LATER_MS,
    SEED_BYTES,
    SOONER_MS,
    Off,
    Rule,
    draw,
    due_after_ms,
    off_schedule,
    out_of_order,
)
from server.verify.vouched import Happened, Outcome, Span

RULE = Rule(900_000, 60_000)
SEED = bytes(range(32))
JIA = "00000000000000a1"
T = 1_788_000_000_000
ASKED, PASS, FAIL, PAUSE, AGAIN = Outcome.ISSUED, Outcome.PASSED, Outcome.FAILED, Outcome.PAUSED, Outcome.RESUMED
LATE, GONE = Outcome.TIMED_OUT, Outcome.WITHDRAWN


def due(number: int = 1) -> int:
    return due_after_ms(draw(SEED, JIA, number), RULE)


def happened(*what: tuple[int, Outcome]) -> list[Happened]:
    return [Happened(T + at, one) for at, one in what]


def off(what: Iterable[Happened], *spans: Span, hindered: tuple[Span, ...] = ()) -> list[tuple[int, Off]]:
    recorded = tuple((T + start, T + end) for start, end in spans)
    held = tuple((T + start, T + end) for start, end in hindered)
    return [(at - T, one) for at, one in off_schedule(SEED, JIA, RULE, recorded, what, held)]


def test_the_schedule_is_of_seed_person_and_number() -> None:
    drawn = draw(SEED, "aa", 1)
    assert drawn.hex() == "c7c0ce170bcf2a918fea3e849f505b997c4335cc2ebbd5529a4d992114726908"
    assert len({drawn, draw(SEED, "ab", 1), draw(SEED, "aa", 2), draw(bytes(32), "aa", 1)}) == 4


def test_a_draw_spreads_over_the_whole_width() -> None:
    assert (RULE.earliest_ms, RULE.latest_ms) == (300_000, 770_000)
    assert due_after_ms(bytes(32), RULE) == 300_000
    assert due_after_ms(b"\xff" * 32, RULE) == 769_999
    assert due_after_ms(b"\x80" + bytes(31), RULE) == 535_000
    assert due_after_ms(bytes(4) + b"\xff" * 28, RULE) == 300_000


def test_what_an_honest_server_may_miss() -> None:
    assert (SEED_BYTES, SOONER_MS, LATER_MS) == (32, 140_000, 276_000)


def test_each_thing_that_can_be_wrong_has_a_number_of_its_own() -> None:
    assert {one.name: one.value for one in Off} == {"ORDER": 1, "SHIFTED": 2, "SKIPPED": 3, "DELAYED": 4}


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (due() - SOONER_MS - 1, [Off.SHIFTED]),
        (due() - SOONER_MS, []),
        (due(), []),
        (due() + LATER_MS, []),
        (due() + LATER_MS + 1, [Off.SHIFTED]),
    ],
)
def test_who_is_asked_sooner_or_later_is_named_at_that_minute(at_ms: int, expected: list[Off]) -> None:
    asked = happened((at_ms, ASKED), (at_ms + 5_000, PASS))
    assert off(asked, (0, at_ms + 10_000)) == [(at_ms, one) for one in expected]


def test_who_is_spared_is_named_at_the_minute_in_which_it_was_due() -> None:
    assert off([], (0, due() + LATER_MS)) == []
    assert off([], (0, due() + LATER_MS + 1)) == [(due(), Off.SKIPPED)]
    assert off([], (0, 100_000), (5_000_000, 8_000_000)) == [(5_000_000 + due() - 100_000, Off.SKIPPED)]


def test_time_that_was_not_recorded_counts_for_nothing() -> None:
    spans = [(at * 100_000, at * 100_000 + 10_000) for at in range((due() + LATER_MS) // 10_000)]
    assert off([], *spans) == []


def test_after_a_pass_the_next_number_is_due() -> None:
    asked = happened((due(1), ASKED), (due(1) + 5_000, PASS))
    over = due(1) + 5_000 + due(2)
    assert off(asked, (0, over + LATER_MS)) == []
    assert off(asked, (0, over + LATER_MS + 1)) == [(over, Off.SKIPPED)]


def test_who_is_blocked_is_asked_when_they_want_and_never_due() -> None:
    asked = happened((due(1), ASKED), (due(1) + 60_000, LATE))
    assert off(asked, (0, 9_000_000)) == []
    asked += happened((due(1) + 71_000, ASKED), (due(1) + 75_000, FAIL), (due(1) + 86_000, ASKED))
    asked += happened((due(1) + 90_000, PASS))
    assert off(asked, (0, due(1) + 90_000 + due(4) + LATER_MS)) == []
    assert off(asked, (0, 9_000_000)) == [(due(1) + 90_000 + due(4), Off.SKIPPED)]


def test_what_waits_is_not_due_again() -> None:
    assert off(happened((due(), ASKED), (due() + 9_000, PAUSE)), (0, 9_000_000)) == []
    assert off(happened((due(), ASKED), (due() + 9_000, GONE)), (0, due() + 9_000)) == []


def test_what_came_late_while_nothing_could_be_stored_is_told_apart() -> None:
    late = due() + LATER_MS + 1
    for asked in (happened((late, ASKED)), []):
        assert off(asked, (0, late), hindered=((due(), due() + 1),)) == [(due(), Off.DELAYED)]
        assert [one for _, one in off(asked, (0, late), hindered=((late, late + 9),))] != [Off.DELAYED]


def test_a_hindrance_that_explains_too_little_explains_nothing() -> None:
    assert off([], (0, due() + LATER_MS + 10), hindered=((due(), due() + 9),)) == [(due(), Off.SKIPPED)]


def test_who_was_never_there_is_never_due() -> None:
    assert off([]) == []


def test_what_is_due_at_the_end_of_a_stretch_is_due_there() -> None:
    spans = (0, due()), (due() + 50_000, due() + 50_000 + LATER_MS + 1)
    assert off([], *spans) == [(due(), Off.SKIPPED)]


def test_a_void_before_which_nobody_was_asked_blocks_as_any_other() -> None:
    """That it is out of order is named by `out_of_order`."""
    assert off(happened((5_000, FAIL)), (0, 9_000_000)) == []


def wrong(*what: tuple[int, Outcome]) -> list[int]:
    return [at - T for at in out_of_order(happened(*what), RULE)]


def test_the_order_of_an_honest_server() -> None:
    assert wrong((0, ASKED), (60_000, PASS), (70_000, ASKED), (75_000, PAUSE), (90_000, AGAIN), (150_000, FAIL)) == []
    assert wrong((0, ASKED), (5_000, PAUSE), (65_000, LATE), (75_000, ASKED), (99_000, GONE)) == []
    assert wrong((0, ASKED), (900_000, AGAIN), (960_000, PASS)) == [], "the provider could not ask"


@pytest.mark.parametrize("what", set(Outcome) - {ASKED})
def test_nothing_follows_where_nothing_was_asked(what: Outcome) -> None:
    assert wrong((0, what)) == [0]
    assert wrong((0, ASKED), (1, PASS), (2, what)) == [2]


def test_nobody_is_asked_twice_at_once_nor_answers_after_the_time() -> None:
    assert wrong((0, ASKED), (5, ASKED)) == [5]
    assert wrong((0, ASKED), (60_001, PASS)) == [60_001]
    assert wrong((0, ASKED), (60_001, FAIL)) == [60_001]
    assert wrong((0, ASKED), (5_000, PAUSE), (6_000, PASS)) == [6_000]
    assert wrong((0, ASKED), (30_000, AGAIN), (90_001, PASS)) == [90_001]


STRETCHES = st.lists(st.tuples(st.integers(1, 400_000), st.integers(0, 400_000)), min_size=1, max_size=30)


@given(STRETCHES, st.binary(min_size=32, max_size=32))
def test_who_is_asked_when_it_is_due_is_never_named(stretches: list[tuple[int, int]], seed: bytes) -> None:
    """Any recorded time with any holes; asked at the millisecond, answered after five seconds of any kind."""
    spans: list[Span] = []
    at = T
    for spent, hole in stretches:
        spans.append((at, at + spent))
        at += spent + hole
    asked: list[Happened] = []
    since, number = T, 1
    while (moment := _reached(spans, since, due_after_ms(draw(seed, JIA, number), RULE))) is not None:
        asked += [Happened(moment, ASKED), Happened(moment + 5_000, PASS)]
        since, number = moment + 5_000, number + 1
    assert list(off_schedule(seed, JIA, RULE, tuple(spans), asked)) == []
    assert list(out_of_order(asked, RULE)) == []


def _reached(spans: list[Span], since: int, ms: int) -> int | None:
    for start, end in spans:
        start = max(start, since)
        if end - start >= ms:
            return start + ms
        ms -= max(0, end - start)
    return None
