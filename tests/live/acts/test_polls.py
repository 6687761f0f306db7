"""Polls: one open at a time, one answer each, in time; the tally is the sum of the answers, and names stand nowhere."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.acts import polls as rules
from server.live.acts.poll_rules import PollQuestion
from server.live.acts.polls import PollActivity, PollClose, PollGive, PollOpen, PollPrepare, PollShow, PollWithdraw
from server.live.acts.port import Who
from server.live.acts.seal import KeySeal
from tests.live.acts.play import Play

JIA, YI = Who("person-jia"), Who("person-yi")
SINGLE = PollQuestion("single", "几点？", ["甲", "乙", "丙"])
QUIZ = replace(SINGLE, right=[1], seconds=30)


def _play() -> Play:
    return Play(PollActivity(KeySeal(b"k" * 32)))


def _begun(question: PollQuestion) -> tuple[Play, str]:
    play = _play()
    return play, play.do(PollPrepare("", question, open=True))


def _parts(views: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one poll's face and tally."""
    faces = [one["face"] for one in views if one["face"]]
    tallies = [one["tally"] for one in views if one["tally"]]
    return (faces or [{}])[0], (tallies or [{}])[0]


def test_a_draft_is_the_desks_until_it_is_opened() -> None:
    play = _play()
    one = play.do(PollPrepare("", SINGLE))
    assert play.seen(desk=False) == []
    assert play.do(PollGive("", one, [0]), JIA) == "not_found"
    play.do(PollPrepare("", replace(SINGLE, text="几点了？"), one))
    play.do(PollOpen("", one))
    assert _parts(play.seen(desk=False))[0]["text"] == "几点了？"
    assert play.do(PollPrepare("", SINGLE, one)) == "poll_changed"
    assert play.do(PollOpen("", one)) == "poll_changed"
    assert play.do(PollOpen("", "77")) == "not_found"


def test_a_draft_that_was_withdrawn_is_gone() -> None:
    play = _play()
    one = play.do(PollPrepare("", SINGLE))
    play.do(PollWithdraw("", one))
    assert play.seen(desk=True) == []
    assert play.do(PollOpen("", one)) == "poll_changed"


def test_only_one_is_open_and_one_whose_time_is_up_makes_room() -> None:
    play, _ = _begun(QUIZ)
    two = play.do(PollPrepare("", SINGLE))
    assert play.do(PollOpen("", two)) == "poll_open"
    assert play.do(PollPrepare("", SINGLE, open=True)) == "poll_open"
    play.wait(30_001, due=False)
    play.do(PollOpen("", two))
    assert [poll.state for poll in play.state.polls.values()] == ["closed", "open"]


def test_an_answer_counts_once_and_is_told_as_a_tally_alone() -> None:
    play, one = _begun(SINGLE)
    told = len(play.told)
    play.do(PollGive("", one, [1]), JIA)
    assert play.told[told:] == [f"{one}.tally"]
    assert play.do(PollGive("", one, [1]), JIA) == str(len(play.acts))  # the acknowledgement was lost
    assert len(play.acts) == 2
    assert play.do(PollGive("", one, [0]), JIA) == "poll_answered"
    play.do(PollGive("", one, [1]), YI)
    assert _parts(play.seen(desk=True))[1] == {"answered": 2, "counts": [0, 2, 0], "texts": [], "different": 0}
    assert _parts(play.seen(desk=False))[1] == {}
    assert play.activity.mine(play.state, "person-jia") == [rules.OwnAnswer(one, [1], "")]


def test_an_answer_may_be_changed_where_the_poll_says_so() -> None:
    play, one = _begun(replace(SINGLE, changeable=True))
    play.do(PollGive("", one, [1]), JIA)
    play.do(PollGive("", one, [2]), JIA)
    assert _parts(play.seen(desk=True))[1]["counts"] == [0, 0, 1]


def test_nobody_fills_the_record_by_changing_an_answer_again_and_again() -> None:
    play, one = _begun(replace(SINGLE, changeable=True))
    for n in range(rules.ANSWERS.most):
        assert play.do(PollGive("", one, [n % 2]), JIA).isdecimal()
    assert play.do(PollGive("", one, [2]), JIA) == "slow_down"
    assert play.do(PollGive("", one, [2]), YI).isdecimal()
    play.wait(rules.ANSWERS.within_ms - 1)
    assert play.do(PollGive("", one, [2]), JIA) == "slow_down"
    play.wait(1)
    assert play.do(PollGive("", one, [2]), JIA).isdecimal()


def test_time_is_up_at_its_moment_and_it_closes_by_itself() -> None:
    play, one = _begun(QUIZ)
    play.wait(30_000)
    assert play.do(PollGive("", one, [1]), JIA) == "2"
    play.wait(1, due=False)
    assert play.do(PollGive("", one, [1]), YI) == "poll_over"
    play.wait(700)
    face, _ = _parts(play.seen(desk=True))
    assert (face["state"], face["closed_ms"]) == ("closed", face["closes_ms"])
    assert play.do(PollGive("", one, [1]), JIA) == str(len(play.acts))  # told again that it had counted
    assert play.do(PollClose("", one)) == "poll_changed"


def test_the_right_answer_is_in_no_trainees_view_before_it_is_closed_and_shown() -> None:
    play, one = _begun(QUIZ)
    assert _parts(play.seen(desk=True))[0]["right"] == [1]
    seen = [_parts(play.seen(desk=False))[0]]
    play.do(PollShow("", one))
    seen.append(_parts(play.seen(desk=False))[0])
    assert [(face["quiz"], face["right"]) for face in seen] == [(True, []), (True, [])]
    play.do(PollClose("", one))
    assert _parts(play.seen(desk=False))[0]["right"] == [1]


def test_closed_and_not_shown_tells_trainees_neither_tally_nor_answer() -> None:
    play, one = _begun(QUIZ)
    play.do(PollClose("", one))
    face, tally = _parts(play.seen(desk=False))
    assert (face["right"], tally) == ([], {})
    play.do(PollShow("", one))
    play.do(PollShow("", one))
    assert [act.kind for act in play.acts] == ["prepared", "closed", "shown"]
    assert _parts(play.seen(desk=False))[1]["counts"] == [0, 0, 0]
    assert play.do(PollShow("", play.do(PollPrepare("", SINGLE)))) == "poll_changed"


def test_thousands_of_answers_to_a_shown_poll_are_told_to_trainees_in_steps() -> None:
    play, one = _begun(SINGLE)
    play.do(PollShow("", one))
    for person in range(2_000):
        play.do(PollGive("", one, [person % 3]), Who(f"p{person}"))
    assert play.told.count(f"{one}.tally") >= 2_000
    assert play.told.count(f"{one}.shown") < 300
    assert sum(_parts(play.seen(desk=True))[1]["counts"]) == 2_000


def test_as_many_drafts_and_polls_as_allowed_and_no_more() -> None:
    play = _play()
    drafts = [play.do(PollPrepare("", SINGLE)) for _ in range(rules.DRAFTS_MOST)]
    assert play.do(PollPrepare("", SINGLE)) == "polls_limit"
    play.do(PollWithdraw("", drafts[0]))
    assert play.do(PollPrepare("", SINGLE)).isdigit()
    for _ in range(rules.POLLS_MOST - rules.DRAFTS_MOST - 1):
        play.do(PollClose("", play.do(PollPrepare("", SINGLE, open=True))))
    assert len(play.state.polls) == rules.POLLS_MOST
    assert play.do(PollPrepare("", SINGLE, open=True)) == "polls_limit"


@pytest.mark.parametrize("question", [replace(SINGLE, anonymous=True), PollQuestion("text", "?", anonymous=True)])
def test_an_anonymous_answer_is_in_the_record_only_sealed(question: PollQuestion) -> None:
    play, one = _begun(question)
    play.do(PollGive("", one, [] if question.kind == "text" else [2], "特别的话"), JIA)
    act = play.acts[-1]
    assert act.actor_id == JIA.person_id
    assert set(act.body) == {"poll", "sealed"}
    assert "特别的话" not in json.dumps([one.body for one in play.acts], ensure_ascii=False)
    assert play.again() == play.state
    stranger = PollActivity(KeySeal(b"x" * 32))
    state = stranger.start()
    for act in play.acts:
        stranger.apply(state, act)
    assert (state.polls[one].counts, state.polls[one].texts) == ([0] * len(question.choices), {})


questions = st.builds(
    PollQuestion,
    kind=st.sampled_from(["single", "multiple", "judgement", "text"]),
    text=st.just("?"),
    choices=st.just(["甲", "乙", "丙"]),
    most=st.integers(1, 3),
    right=st.sampled_from([[], [1]]),
    seconds=st.sampled_from([None, 5]),
    anonymous=st.booleans(),
    changeable=st.booleans(),
).map(lambda one: replace(one, right=[]) if one.kind == "text" else one)
steps = st.one_of(
    st.tuples(st.just("prepare"), questions, st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 4), st.lists(st.integers(0, 3), max_size=3, unique=True)),
    st.tuples(st.sampled_from(["open", "close", "show", "withdraw"]), st.integers(0, 3), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 6_000), st.booleans()),
)


def _step(play: Play, what: str, first: Any, second: Any, late: list[str]) -> None:
    ids = list(play.state.polls) or ["1"]
    match what:
        case "prepare":
            play.do(PollPrepare("", first, open=second))
        case "wait":
            play.wait(first, due=second)
        case "answer":
            at = play.state.open_id or ids[-1]
            poll = play.state.polls.get(at)
            over = poll is not None and poll.is_over(play.now_ms)
            before = len(play.acts)
            play.do(PollGive("", at, second, f"话{second}"), Who(f"person-{first}"))
            late += ["late"] if over and len(play.acts) > before else []
        case _:
            command = {"open": PollOpen, "close": PollClose, "show": PollShow, "withdraw": PollWithdraw}[what]
            play.do(command("", ids[first % len(ids)]))


@given(st.lists(steps, max_size=40))
def test_any_interleaving_keeps_the_tally_in_time_and_without_names(walk: list[tuple[str, Any, Any]]) -> None:
    play, late = _play(), list[str]()
    for one in walk:
        _step(play, *one, late)
        assert sum(poll.state == "open" for poll in play.state.polls.values()) == (play.state.open_id is not None)
    assert late == []
    assert play.again() == play.state
    for poll in play.state.polls.values():
        answers = list(poll.answers.values())
        if poll.question.kind == "text":
            assert poll.texts.total() == len(answers)
        else:
            assert poll.counts == [sum(at in one for one in answers) for at in range(len(poll.counts))]
        if poll.question.kind in ("single", "judgement"):
            assert sum(poll.counts) == len(answers)
    for desk in (True, False):
        assert "person-" not in json.dumps(play.seen(desk))
    for face in (one["face"] for one in play.seen(desk=False) if one["face"]):
        assert face["right"] == [] or (face["state"] == "closed" and face["shown"])
        assert face["state"] in ("open", "closed")
