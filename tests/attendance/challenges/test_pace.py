"""Which answers are none, and what of a lesson is for a person to look at."""

import pytest

from server.attendance.challenges import pace
from server.attendance.challenges.pace import Notable, Said, Why, in_step, is_new, least_times, notable
from server.core.errors import DomainError
from server.verify.schedule import draw
from server.verify.vouched import Outcome


def said(who: str, *delays: int, first: int = 1) -> list[Said]:
    return [Said(who, 900_000 * at + delay, at, delay, True) for at, delay in enumerate(delays, first)]


def test_an_answer_is_none_before_anybody_can_have_read_the_question() -> None:
    pace.check(1_000, 1_000 + pace.TOO_FAST_MS)
    with pytest.raises(DomainError) as fast:
        pace.check(1_000, 999 + pace.TOO_FAST_MS)
    assert fast.value.code == "challenge_too_fast"


def test_three_who_answer_in_step_again_and_again_are_listed_with_one_another() -> None:
    found = in_step([*said("a", 2_000, 9_000, 3_000), *said("b", 2_100, 9_250, 3_050), *said("c", 2_000, 9_100, 2_900)])
    assert found == {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}
    alike = [one for who in "abc" for one in said(who, 2_000, 9_000, 3_000)]
    assert notable(alike, {})[0] == Notable("a", Why.IN_STEP, 3, None, ("b", "c"))


def test_two_are_not_nor_three_who_are_so_twice_nor_those_out_of_step() -> None:
    a, b, c = (2_000, 9_000, 3_000), (2_100, 9_100, 3_100), (2_000, 9_000, 3_000 + pace.STEP_MS + 1)
    assert in_step([*said("a", *a), *said("b", *b)]) == {}
    assert in_step([*said("a", *a), *said("b", *b), *said("c", *c[:2])]) == {}
    assert in_step([*said("a", *a), *said("b", *a), *said("c", *c)]) == {}


def test_three_of_many_answers_in_step_are_chance() -> None:
    own = [(2_000, 2_000, 2_000, *(at * 5_000 + 400 * step for at in range(2, 7))) for step in range(3)]
    assert in_step([one for who, delays in zip("abc", own, strict=True) for one in said(who, *delays)]) == {}


def test_a_crowd_of_people_is_not_listed_by_chance() -> None:
    """2,000 people answer eight sums each, most within two to five seconds: nobody is in step with two others."""
    assert [least_times(people) for people in (3, 50, 51, 150, 151, 2_000)] == [3, 3, 4, 4, 5, 7]
    crowd = []
    for who in range(2_000):
        drawn = draw(b"crowd", str(who), 0) + draw(b"crowd", str(who), 1)
        delays = [2_000 + (drawn[at] * 256 + drawn[at + 1]) * 3_000 // 65_536 for at in range(0, 16, 2)]
        crowd += said(str(who), *delays)
    assert in_step(crowd) == {}


def test_answers_too_fast_and_questions_that_were_never_shown_are_listed() -> None:
    fast = [Said("a", 5, 1, 0, False), Said("a", 90, 1, 90, False), *said("a", 2_000)]
    outcomes = {"b": [Outcome.ISSUED, Outcome.BLOCKED, Outcome.ISSUED, Outcome.TIMED_OUT]}
    assert notable(fast, outcomes) == [Notable("a", Why.TOO_FAST, 2, 0), Notable("b", Why.NOT_SHOWN, 1)]
    assert notable(said("a", 2_000), {"a": [Outcome.ISSUED, Outcome.TIMED_OUT, Outcome.FAILED]}) == []


def test_what_was_looked_at_is_new_again_when_there_is_more_of_it() -> None:
    line = Notable("a", Why.IN_STEP, 3, None, ("b", "c"))
    assert is_new(line, [])
    assert not is_new(line, [(2, 2), (3, 2)])
    assert is_new(line, [(2, 2)])
    assert is_new(line, [(3, 1)])
