"""签到: who is there says so within the time; the desk is told numbers, trainees the beginning and the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.acts import sign_in as rules
from server.live.acts.port import Who
from server.live.acts.sign_in import SignInActivity, SignInClose, SignInHere, SignInOpen
from tests.live.acts.play import Play

JIA, YI = Who("jia"), Who("yi")


def test_who_is_there_says_so_once_and_the_desk_counts() -> None:
    play = Play(SignInActivity())
    one = play.do(SignInOpen("", 60))
    assert play.do(SignInHere("", one), JIA) == "2"
    assert play.do(SignInHere("", one), JIA) == "2"  # the acknowledgement was lost: no second act
    assert play.do(SignInHere("", one), YI) == "3"
    (desk,), (trainees,) = play.seen(desk=True), play.seen(desk=False)
    assert (desk["here"], desk["open"], trainees["here"]) == (2, True, None)
    assert play.activity.mine(play.state, "jia") == [one]
    assert play.again() == play.state


def test_it_ends_by_itself_and_who_comes_later_is_told() -> None:
    play = Play(SignInActivity())
    one = play.do(SignInOpen("", 60))
    play.wait(60_000)
    assert play.do(SignInHere("", one), JIA) == "2"
    play.wait(1, due=False)
    assert play.do(SignInHere("", one), YI) == "sign_in_over"
    play.wait(400)
    assert play.seen(desk=False)[0]["closed_ms"] == play.seen(desk=False)[0]["closes_ms"]
    assert play.do(SignInClose("", one)) == "sign_in_over"
    assert play.do(SignInHere("", one), JIA) == str(len(play.acts))


def test_the_instructor_ends_it_before() -> None:
    play = Play(SignInActivity())
    one = play.do(SignInOpen("", 60))
    play.wait(1_000)
    play.do(SignInClose("", one))
    assert play.seen(desk=True)[0]["closed_ms"] == play.now_ms
    assert play.do(SignInHere("", one), JIA) == "sign_in_over"


def test_one_at_a_time_and_one_whose_time_is_up_makes_room() -> None:
    play = Play(SignInActivity())
    play.do(SignInOpen("", 60))
    assert play.do(SignInOpen("", 60)) == "sign_in_open"
    play.wait(60_001, due=False)
    two = play.do(SignInOpen("", 60))
    assert [(one["id"], one["open"]) for one in play.seen(desk=True)] == [("1", False), (two, True)]
    assert play.do(SignInHere("", "99"), JIA) == "not_found"


@pytest.mark.parametrize("seconds", [rules.SECONDS_LEAST - 1, rules.SECONDS_MOST + 1])
def test_a_second_too_few_or_too_many_is_refused(seconds: int) -> None:
    assert Play(SignInActivity()).do(SignInOpen("", seconds)) == "bad_request"


def test_as_many_as_allowed_and_no_more() -> None:
    play = Play(SignInActivity())
    for seconds in [rules.SECONDS_LEAST, rules.SECONDS_MOST] * (rules.SIGN_INS_MOST // 2):
        assert play.do(SignInClose("", play.do(SignInOpen("", seconds)))).isdigit()
    assert play.do(SignInOpen("", 60)) == "sign_ins_limit"


@given(st.lists(st.tuples(st.sampled_from(["open", "here", "close", "wait"]), st.integers(0, 3)), max_size=40))
def test_any_interleaving_is_what_its_acts_make_and_nobody_is_there_too_late(steps: list[tuple[str, int]]) -> None:
    play = Play(SignInActivity())
    for what, which in steps:
        last = play.state.open_id or "1"
        match what:
            case "open":
                play.do(SignInOpen("", 10))
            case "here":
                play.do(SignInHere("", last), Who(f"p{which}"))
            case "close":
                play.do(SignInClose("", last))
            case _:
                play.wait(which * 4_000, due=which % 2 == 0)
    assert play.again() == play.state
    for one in play.state.rounds.values():
        assert all(one.opened_ms <= at_ms <= (one.closed_ms or one.closes_ms) for at_ms in one.here.values())
