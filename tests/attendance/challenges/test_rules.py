"""Who is asked when, and what follows: each rule by an example."""

from typing import Any

import pytest

from server.attendance.challenges import rules
from server.attendance.challenges.rules import AGAIN_AFTER_MS, Asked, Event, Heard, Standing, apply, rebuild
from server.core.errors import DomainError
from server.training.rules import ChallengeRule
from server.verify.vouched import VOIDS, Outcome, Refusal

RULE = ChallengeRule(900_000, 60_000)
T = 1_000_000


def issued(at_ms: int = T, seq: int = 1, number: int = 1) -> Event:
    return Event(seq, at_ms, Outcome.ISSUED, number, 7, at_ms + 60_000, 1_234)


def waiting() -> Standing:
    return rebuild([issued()])


def test_the_default_rule() -> None:
    assert ChallengeRule() == ChallengeRule(900_000, 60_000)
    assert (RULE.earliest_ms, RULE.latest_ms) == (300_000, 770_000)


def test_what_is_not_said_is_nothing() -> None:
    assert Event(2, T, Outcome.SILENT, 1, 7) == Event(2, T, Outcome.SILENT, 1, 7, 0, 0)
    assert rebuild([]) == Standing(0, 0, 0, None, None, 0, None)


def test_it_is_due_by_what_was_recorded_since_the_last_pass() -> None:
    drawn = bytes(32)
    assert not rules.is_due(Standing(), 299_999, drawn, RULE)
    assert rules.is_due(Standing(), 300_000, drawn, RULE)
    passed = Standing(passed_credit_ms=50_000)
    assert not rules.is_due(passed, 349_999, drawn, RULE)
    assert rules.is_due(passed, 350_000, drawn, RULE)
    assert rules.is_due(waiting(), 900_000, drawn, RULE) is False
    assert rules.is_due(Standing(blocked=Refusal.IDENTITY_FAILED), 900_000, drawn, RULE) is False


def test_a_challenge_is_numbered_and_has_its_deadline() -> None:
    assert rules.issue(Standing(seq=4, number=2), T, 7, 5_000, RULE) == Event(
        5, T, Outcome.ISSUED, 3, 7, T + 60_000, 5_000
    )


def test_what_is_asked_stands_until_it_is_decided() -> None:
    assert waiting() == Standing(1, 1, T, Asked(1, 7, T, T + 60_000))
    right = rules.answered(waiting(), Asked(1, 7, T, T + 60_000), T + 5, True, 9_000)
    assert right == Event(2, T + 5, Outcome.PASSED, 1, 7, 0, 9_000)
    assert apply(waiting(), right) == Standing(2, 1, T + 5, None, None, 9_000, Outcome.PASSED)


@pytest.mark.parametrize("what", VOIDS)
def test_a_void_blocks_until_a_pass_and_the_first_reason_stays(what: Outcome) -> None:
    void = Event(2, T + 9, what, 1, 7)
    blocked = apply(waiting(), void)
    assert blocked == Standing(2, 1, T + 9, None, VOIDS[what], 0, what)
    other = Outcome.FAILED if what is not Outcome.FAILED else Outcome.SILENT
    again = rebuild([issued(), void, issued(T + 20, 3, 2), Event(4, T + 30, other, 2, 7)])
    assert (again.blocked, again.decided) == (VOIDS[what], other)
    clear = apply(apply(blocked, issued(T + 20, 3, 2)), Event(4, T + 30, Outcome.PASSED, 2, 7, 0, 77))
    assert (clear.blocked, clear.passed_credit_ms, clear.number, clear.asked) == (None, 77, 2, None)


def test_a_wrong_answer_fails() -> None:
    asked = rules.check_answer(waiting(), 1, T)
    assert rules.answered(waiting(), asked, T, False, 1).outcome is Outcome.FAILED


def refused(work: Any, *arguments: Any) -> tuple[str, Any]:
    with pytest.raises(DomainError) as error:
        work(*arguments)
    return error.value.code, error.value.data


def test_an_answer_is_to_what_is_asked_and_in_time() -> None:
    assert rules.check_answer(waiting(), 1, T + 60_000) == Asked(1, 7, T, T + 60_000)
    for standing, number, at_ms in (
        (waiting(), 1, T + 60_001),
        (waiting(), 2, T),
        (waiting(), 0, T),
        (Standing(), 1, T),
        (paused(), 1, T + 25_000),
    ):
        assert refused(rules.check_answer, standing, number, at_ms)[0] == "challenge_over"


def test_who_is_blocked_may_ask_after_a_while() -> None:
    blocked = Standing(2, 1, T, None, Refusal.CHALLENGE_MISSED)
    assert refused(rules.check_again, blocked, T) == ("challenge_too_soon", {"retry_after_s": 10})
    assert refused(rules.check_again, blocked, T + 999) == ("challenge_too_soon", {"retry_after_s": 10})
    assert refused(rules.check_again, blocked, T + 1_000) == ("challenge_too_soon", {"retry_after_s": 9})
    assert refused(rules.check_again, blocked, T + AGAIN_AFTER_MS - 1) == ("challenge_too_soon", {"retry_after_s": 1})
    rules.check_again(blocked, T + AGAIN_AFTER_MS)
    assert refused(rules.check_again, Standing(), T)[0] == "challenge_over"
    asked = apply(blocked, issued(T + 1, 3, 2))
    assert asked.blocked is Refusal.CHALLENGE_MISSED
    assert refused(rules.check_again, asked, T + 20_000)[0] == "challenge_over"


@pytest.mark.parametrize(
    ("shown", "beating", "outcome"),
    [
        (True, True, Outcome.TIMED_OUT),
        (True, False, Outcome.TIMED_OUT),
        (False, True, Outcome.BLOCKED),
        (False, False, Outcome.SILENT),
    ],
)
def test_no_answer_in_time(shown: bool, beating: bool, outcome: Outcome) -> None:
    heard = Heard(shown, beating)
    assert rules.overdue(waiting(), T + 60_000, heard) is None
    late = Event(2, T + 60_000, outcome, 1, 7)
    assert rules.overdue(waiting(), T + 60_001, heard) == late
    assert rules.overdue(waiting(), T + 900_000, heard) == late
    assert rules.overdue(Standing(), T + 900_000, heard) is None


def pause(at_ms: int = T + 20_000) -> Event:
    event = rules.paused(waiting(), at_ms, RULE)
    assert event is not None
    return event


def paused() -> Standing:
    return apply(waiting(), pause())


def test_another_device_pauses_what_is_asked_and_gets_the_time_that_was_left() -> None:
    assert pause() == Event(2, T + 20_000, Outcome.PAUSED, 1, 7, T + 80_000)
    assert paused().asked == Asked(1, 7, T + 20_000, T + 80_000, 40_000)
    back = rules.resumed(paused(), T + 50_000, 8)
    assert back == Event(3, T + 50_000, Outcome.RESUMED, 1, 8, T + 90_000)
    assert apply(paused(), back).asked == Asked(1, 8, T + 50_000, T + 90_000)
    assert apply(paused(), back).blocked is None


def test_a_pause_while_nothing_is_asked_leaves_no_time() -> None:
    assert apply(Standing(), pause()).asked == Asked(1, 7, T + 20_000, T + 80_000, 0)


def test_a_pause_is_no_way_out() -> None:
    """Whoever goes to another lesson with it has not answered."""
    assert rules.resumed(paused(), T + 80_000, 8) is not None
    assert rules.resumed(paused(), T + 80_001, 8) is None
    late = rules.overdue(paused(), T + 80_001, Heard(False, False))
    assert late == Event(3, T + 80_000, Outcome.SILENT, 1, 7)
    assert rules.paused(paused(), T + 30_000, RULE) is None


def test_what_is_not_asked_is_not_paused() -> None:
    assert rules.paused(Standing(), T, RULE) is None
    assert rules.paused(waiting(), T - 1, RULE) is None
    assert rules.paused(waiting(), T, RULE) is not None
    assert rules.paused(waiting(), T + 60_000, RULE) is not None
    assert rules.paused(waiting(), T + 60_001, RULE) is None
    assert rules.resumed(waiting(), T, 8) is None
    assert rules.resumed(Standing(), T, 8) is None


def test_a_restart_asks_anew_with_the_whole_time() -> None:
    assert rules.restored(Standing(), T, RULE) is None
    assert rules.restored(waiting(), T + 500_000, RULE) == Event(2, T + 500_000, Outcome.RESUMED, 1, 7, T + 560_000)
    assert rules.restored(waiting(), T - 5, RULE) == Event(2, T, Outcome.RESUMED, 1, 7, T + 60_000)


def test_the_end_of_the_lesson_withdraws_what_is_asked() -> None:
    assert rules.withdrawn(Standing(), T) is None
    gone = rules.withdrawn(waiting(), T + 7)
    assert gone == Event(2, T + 7, Outcome.WITHDRAWN, 1, 7)
    assert apply(waiting(), gone) == Standing(2, 1, T + 7)
    assert rules.withdrawn(waiting(), T - 5) == Event(2, T, Outcome.WITHDRAWN, 1, 7)
