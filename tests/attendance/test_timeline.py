"""When a lesson counts, from its transitions."""

from server.attendance.minutes import Delivered
from server.attendance.timeline import Phase, Transition, delivered_until

LESSON = (
    Transition(100, Phase.OPEN),
    Transition(200, Phase.CLOSED),
    Transition(300, Phase.OPEN),
    Transition(400, Phase.FAULT),
    Transition(500, Phase.OPEN),
    Transition(600, Phase.CLOSED),
)


def test_open_and_fault_are_told_apart() -> None:
    assert delivered_until(LESSON, 1_000) == Delivered(((100, 200), (300, 400), (500, 600)), ((400, 500),))


def test_what_lies_ahead_has_not_happened() -> None:
    assert delivered_until(LESSON, 350) == Delivered(((100, 200), (300, 350)), ())
    assert delivered_until(LESSON, 300) == Delivered(((100, 200),), ())
    assert delivered_until(LESSON, 450) == Delivered(((100, 200), (300, 400)), ((400, 450),))


def test_before_the_first_transition_nothing_is_open() -> None:
    assert delivered_until((), 1_000) == delivered_until(LESSON, 100) == Delivered()


def test_two_transitions_at_once_the_later_one_holds() -> None:
    both = (Transition(100, Phase.OPEN), Transition(100, Phase.CLOSED), Transition(100, Phase.OPEN))
    assert delivered_until(both, 150) == Delivered(((100, 150),), ())
