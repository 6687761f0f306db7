"""Questions: what may be done to them, by whom, how fast; who learns what of whom."""

from typing import Any

import pytest

from server.live.acts.port import Who
from server.live.acts.question_forms import (
    ANSWER_MOST,
    ANSWERS_MOST,
    ASKS,
    LATE_MS,
    OPEN_MOST,
    TEXT_MOST,
    VOTES,
    MyQuestions,
    QuestionAnswer,
    QuestionAnswering,
    QuestionAsk,
    QuestionDone,
    QuestionHide,
    QuestionMerge,
    QuestionView,
    QuestionVote,
    QuestionWithdraw,
)
from server.live.acts.questions import Questions, State, late_for
from tests.live.acts.desk import TEACHER, Table

L = "lesson"
JIA, YI, BING, DING = Who("jia"), Who("yi"), Who("bing"), Who("ding")
MINUTE = 60_000


def table() -> Table[State]:
    return Table(Questions())


def ask(at: Table[State], who: Who = JIA, words: str = "为什么？", anonymous: bool = False) -> str:
    (act,) = at.say(QuestionAsk(L, words, anonymous), who, MINUTE)
    return str(act.seq)


def seen(at: Table[State], key: str, desk: bool = False) -> QuestionView:
    found: QuestionView = at.view(key, desk)
    return found


def test_a_question_begins_with_its_askers_vote() -> None:
    at = table()
    one = ask(at, words="  为什么？ ")
    assert seen(at, one) == QuestionView(
        one, MINUTE, "为什么？", False, "jia", "名jia", 1, "open", False, None, None, None, []
    )
    assert at.changed == [one]
    assert list(at.activity.keys(at.state)) == [one]


def test_peers_do_not_learn_who_asks_anonymously_and_the_desk_does() -> None:
    at = table()
    one = ask(at, anonymous=True)
    assert (seen(at, one).author_id, seen(at, one).author, seen(at, one).anonymous) == (None, None, True)
    assert (seen(at, one, desk=True).author_id, seen(at, one, desk=True).author) == ("jia", "名jia")
    assert at.acts[0].actor_id == "jia"
    assert at.activity.mine(at.state, "jia") == MyQuestions([one], [])


def test_votes_one_each_and_none_for_ones_own() -> None:
    at = table()
    one = ask(at)
    assert at.refused(QuestionVote(L, one, True), JIA) == "question_own"
    assert at.refused(QuestionVote(L, one, False), JIA) == "question_own"
    at.say(QuestionVote(L, one, True), YI)
    assert at.say(QuestionVote(L, one, True), YI) == []
    assert seen(at, one).votes == 2
    assert at.activity.mine(at.state, "yi") == MyQuestions([], [one])
    at.say(QuestionVote(L, one, False), YI)
    assert seen(at, one).votes == 1
    assert at.refused(QuestionVote(L, "99", True), YI) == "not_found"


def test_texts_at_their_edge() -> None:
    at = table()
    assert at.refused(QuestionAsk(L, " \n "), JIA) == "text_missing"
    assert at.refused(QuestionAsk(L, "问" * (TEXT_MOST + 1)), JIA) == "bad_request"
    one = ask(at, words="问" * TEXT_MOST)
    assert at.refused(QuestionAnswer(L, one, "答" * (ANSWER_MOST + 1)), TEACHER) == "bad_request"
    assert at.refused(QuestionAnswer(L, one, ""), TEACHER) == "text_missing"
    at.say(QuestionAnswer(L, one, "答" * ANSWER_MOST), TEACHER)


def test_whoever_may_not_write_does_not_ask_but_votes() -> None:
    at = table()
    one = ask(at)
    at.order.silenced.add("yi")
    assert at.refused(QuestionAsk(L, "？"), YI) == "silenced"
    at.say(QuestionVote(L, one, True), YI)
    at.order.off.add("text")
    assert at.refused(QuestionAsk(L, "？"), BING) == "switched_off"


def test_questions_of_one_within_a_minute() -> None:
    at = table()
    for _ in range(ASKS.most):
        at.say(QuestionAsk(L, "？"), JIA, 1)
    assert at.refused(QuestionAsk(L, "？"), JIA, ASKS.within_ms - ASKS.most) == "slow_down"
    at.say(QuestionAsk(L, "？"), YI, 0)
    at.say(QuestionAsk(L, "？"), JIA, 1)


def test_questions_of_one_that_wait_for_an_answer() -> None:
    at = table()
    keys = [ask(at) for _ in range(OPEN_MOST)]
    assert at.refused(QuestionAsk(L, "？"), JIA, MINUTE) == "questions_open"
    at.say(QuestionDone(L, keys[0]), TEACHER)
    keys.append(ask(at))
    assert at.refused(QuestionAsk(L, "？"), JIA, MINUTE) == "questions_open"
    at.say(QuestionHide(L, keys[1], True), TEACHER)
    ask(at)
    ask(at, YI)


def test_votes_of_one_within_ten_seconds() -> None:
    at = table()
    one = ask(at)
    for turn in range(VOTES.most):
        at.say(QuestionVote(L, one, turn % 2 == 0), YI, 1)
    assert at.refused(QuestionVote(L, one, True), YI, VOTES.within_ms - VOTES.most) == "slow_down"
    at.say(QuestionVote(L, one, True), BING, 0)
    at.say(QuestionVote(L, one, True), YI, 1)


def test_answered_live_with_its_time() -> None:
    at = table()
    one = ask(at)
    at.say(QuestionAnswering(L, one), TEACHER)
    assert (seen(at, one).state, seen(at, one).live_ms) == ("answering", MINUTE + 1_000)
    assert at.say(QuestionAnswering(L, one), TEACHER) == []
    at.say(QuestionDone(L, one), TEACHER, 30_000)
    assert (seen(at, one).state, seen(at, one).until_ms) == ("answered", MINUTE + 32_000)
    assert at.say(QuestionDone(L, one), TEACHER) == []


def test_with_the_next_one_the_one_before_is_answered() -> None:
    at = table()
    one, two = ask(at), ask(at, YI)
    at.say(QuestionAnswering(L, one), TEACHER)
    acts = at.say(QuestionAnswering(L, two), TEACHER)
    assert [act.kind for act in acts] == ["done", "answering"]
    assert (seen(at, one).state, seen(at, two).state) == ("answered", "answering")
    assert seen(at, one).until_ms == at.now_ms
    assert set(at.changed) == {one, two}


def test_a_question_that_is_put_back() -> None:
    at = table()
    one = ask(at)
    at.say(QuestionAnswering(L, one), TEACHER)
    at.say(QuestionAnswering(L, one, False), TEACHER)
    assert (seen(at, one).state, seen(at, one).live_ms) == ("open", None)
    assert at.say(QuestionAnswering(L, one, False), TEACHER) == []


def test_answered_in_writing_more_than_once() -> None:
    at = table()
    one = ask(at)
    for number in range(ANSWERS_MOST):
        at.say(QuestionAnswer(L, one, f"答{number}"), TEACHER)
    assert at.refused(QuestionAnswer(L, one, "再答"), TEACHER) == "question_closed"
    assert [answer.text for answer in seen(at, one).answers][:2] == ["答0", "答1"]
    assert seen(at, one).answers[0].by == "名teacher"
    assert at.refused(QuestionVote(L, one, True), YI) == "question_closed"


def test_a_question_that_is_answered_live_and_in_writing_has_both() -> None:
    at = table()
    one = ask(at)
    at.say(QuestionAnswering(L, one), TEACHER)
    at.say(QuestionAnswer(L, one, "见第三页"), TEACHER)
    assert (seen(at, one).state, seen(at, one).until_ms) == ("answered", at.now_ms)


def test_after_the_lesson_for_seven_days() -> None:
    at = table()
    one = ask(at)
    at.say(QuestionAnswer(L, one, "课上答"), TEACHER)
    at.ended_ms = at.now_ms
    at.say(QuestionAnswer(L, one, "课后答"), TEACHER, LATE_MS)
    assert [answer.late for answer in seen(at, one).answers] == [False, True]
    assert at.refused(QuestionAnswer(L, one, "太晚"), TEACHER, 1) == "answer_too_late"


def test_only_answers_are_taken_after_the_lesson() -> None:
    assert [says.event for says in Questions.commands if says.late] == ["question:answer"]


def test_own_questions_are_withdrawn_while_nobody_answered_them() -> None:
    at = table()
    one = ask(at)
    assert at.refused(QuestionWithdraw(L, one), YI) == "not_found"
    at.say(QuestionAnswering(L, one), TEACHER)
    at.say(QuestionWithdraw(L, one), JIA)
    assert (seen(at, one, True).state, seen(at, one, True).text, at.state.answering) == ("withdrawn", "", None)
    assert at.acts[0].body["text"] == "为什么？"
    assert at.say(QuestionWithdraw(L, one), JIA) == []
    for command in (
        QuestionAnswer(L, one, "答"),
        QuestionAnswering(L, one),
        QuestionMerge(L, one, ask(at)),
        QuestionMerge(L, ask(at), one),
    ):
        assert at.refused(command, TEACHER) == "question_closed"
    assert at.refused(QuestionVote(L, one, True), YI) == "question_closed"
    two = ask(at)
    at.say(QuestionDone(L, two), TEACHER)
    assert at.refused(QuestionWithdraw(L, two), JIA) == "question_closed"


def test_a_merge_unites_votes_and_counts_everybody_once() -> None:
    at = table()
    one, two = ask(at, JIA), ask(at, YI, anonymous=True)
    at.say(QuestionVote(L, one, True), BING)
    at.say(QuestionVote(L, two, True), BING)
    at.say(QuestionMerge(L, two, one), TEACHER)
    assert set(at.changed) == {one, two}
    assert (seen(at, one).votes, seen(at, two).state, seen(at, two).into) == (3, "merged", one)
    assert at.activity.mine(at.state, "yi") == MyQuestions([two], [one])
    assert at.activity.mine(at.state, "bing") == MyQuestions([], [one, two])


def test_what_is_said_of_a_merged_question_is_meant_for_the_other() -> None:
    at = table()
    one, two = ask(at, JIA), ask(at, YI)
    at.say(QuestionMerge(L, two, one), TEACHER)
    at.say(QuestionVote(L, two, True), BING)
    assert seen(at, one).votes == 3
    assert at.say(QuestionMerge(L, two, one), TEACHER) == []
    at.say(QuestionAnswer(L, two, "答"), TEACHER)
    assert seen(at, one).state == "answered"
    assert seen(at, two).answers == []


def test_merged_questions_are_merged_on() -> None:
    at = table()
    one, two, three = ask(at, JIA), ask(at, YI), ask(at, BING)
    at.say(QuestionMerge(L, one, two), TEACHER)
    at.say(QuestionMerge(L, two, three), TEACHER)
    assert seen(at, three).votes == 3
    assert at.say(QuestionMerge(L, three, one), TEACHER) == []
    assert at.refused(QuestionWithdraw(L, two), YI) == "question_closed"
    assert at.refused(QuestionWithdraw(L, three), BING) == "question_closed"
    at.say(QuestionVote(L, three, False), JIA)
    assert seen(at, three).votes == 2


def test_who_is_told_of_what_was_answered_late() -> None:
    at = table()
    one, two, three = ask(at, JIA), ask(at, YI, anonymous=True), ask(at, BING)
    at.say(QuestionVote(L, one, True), DING)
    at.say(QuestionMerge(L, two, one), TEACHER)
    at.say(QuestionVote(L, one, False), YI)
    at.say(QuestionAnswer(L, three, "课上答"), TEACHER)
    at.ended_ms = at.now_ms
    assert late_for(at.state) == {}
    (first,) = at.say(QuestionAnswer(L, one, "课后答"), TEACHER)
    (second,) = at.say(QuestionAnswer(L, one, "再答"), TEACHER)
    mine = {first.seq: one, second.seq: one}
    assert late_for(at.state) == {"jia": mine, "yi": mine, "ding": mine}


def test_a_question_joins_one_that_is_answered_already() -> None:
    at = table()
    one, two = ask(at, JIA), ask(at, YI)
    at.say(QuestionAnswer(L, one, "答"), TEACHER)
    assert at.refused(QuestionMerge(L, one, two), TEACHER) == "question_closed"
    at.say(QuestionMerge(L, two, one), TEACHER)
    assert at.state.root(two).state == "answered"


def test_a_merge_ends_what_was_answered_live() -> None:
    at = table()
    one, two = ask(at, JIA), ask(at, YI)
    at.say(QuestionAnswering(L, one), TEACHER)
    at.say(QuestionMerge(L, one, two), TEACHER)
    assert at.state.answering is None


def test_hidden_from_peers_never_from_the_record() -> None:
    at = table()
    one = ask(at)
    at.say(QuestionHide(L, one, True), TEACHER)
    assert at.say(QuestionHide(L, one, True), TEACHER) == []
    peers, desk = seen(at, one), seen(at, one, desk=True)
    assert (peers.text, peers.author, peers.author_id, peers.hidden) == ("", None, None, True)
    assert (desk.text, desk.author, desk.hidden) == ("为什么？", "名jia", True)
    assert at.refused(QuestionVote(L, one, True), YI) == "question_closed"
    assert at.refused(QuestionAnswer(L, one, "答"), TEACHER) == "question_closed"
    at.say(QuestionDone(L, one), TEACHER)
    at.say(QuestionHide(L, one, False), TEACHER)
    assert seen(at, one).text == "为什么？"


@pytest.mark.parametrize(
    "command",
    [
        QuestionAnswer(L, "7", "答"),
        QuestionAnswering(L, "7"),
        QuestionDone(L, "7"),
        QuestionMerge(L, "7", "8"),
        QuestionHide(L, "7", True),
    ],
)
def test_what_is_not_there(command: Any) -> None:
    assert table().refused(command, TEACHER) == "not_found"


def test_a_command_of_another_activity_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        table().say("?", TEACHER)


def test_by_whom() -> None:
    assert {says.event: says.by for says in Questions.commands} == {
        "question:ask": "trainee",
        "question:vote": "trainee",
        "question:withdraw": "trainee",
        "question:answer": "instructor",
        "question:answering": "instructor",
        "question:done": "instructor",
        "question:merge": "instructor",
        "question:hide": "instructor",
    }
