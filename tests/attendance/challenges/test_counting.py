"""What counts in a lesson with challenges, and how often somebody was asked."""

from server.attendance.challenges.counting import Challenged, Tally, tally
from server.attendance.challenges.rules import Event
from server.verify.vouched import Outcome

ANN, BOB = "000000000000000a", "000000000000000b"


def event(seq: int, at_ms: int, outcome: Outcome) -> Event:
    return Event(seq, at_ms, outcome, 1, 1)


def challenged(ended: bool, *outcomes: Outcome) -> Challenged:
    return Challenged(1_000, {ANN: [event(n, n * 100, what) for n, what in enumerate(outcomes, 1)]}, ended)


def test_only_an_ended_lesson_without_a_waiting_challenge_is_settled() -> None:
    assert challenged(True).settled(ANN)
    assert not challenged(False).settled(ANN)
    assert not challenged(True, Outcome.ISSUED).settled(ANN)
    assert challenged(True, Outcome.ISSUED).settled(BOB)
    assert challenged(True, Outcome.ISSUED, Outcome.WITHDRAWN).settled(ANN)


def test_each_trainee_has_their_own() -> None:
    known = challenged(True, Outcome.ISSUED, Outcome.FAILED)
    assert known.of(BOB, ((0, 500),)).confirmed == [(0, 500)]
    assert known.of(ANN, ((0, 500),)).confirmed == []
    assert challenged(False).of(BOB, ((0, 500),)).pending == [(0, 500)]


def test_the_tally_counts_what_was_decided() -> None:
    every = [*Outcome, Outcome.PASSED]
    assert tally(every) == Tally(asked=6, passed=2, failed=1, missed=3)
    assert tally([Outcome.ISSUED, Outcome.WITHDRAWN]) == Tally()
    assert challenged(True, Outcome.ISSUED, Outcome.PASSED).tally(ANN) == Tally(1, 1)
    assert challenged(True, Outcome.ISSUED, Outcome.PASSED).tally(BOB) == Tally()
