"""The demo's lines: everybody has some, in order, and none falls where their script has them away."""

from server.demo.lines import LINES, SIGN_IN_S
from server.demo.scripts import BACK_S, CUT_S, HIDE_S, LATE_S, SCRIPTS, SHOW_S
from server.demo.stage import LESSON_S

AWAY = {"backgrounded": (HIDE_S, SHOW_S), "outage": (CUT_S, BACK_S), "late": (0, LATE_S)}
#: so late a visitor may come in, and how long they then have for what they can take part in
VISITOR_S, THEN_S = 30, 30


def seconds(script: str, told: str) -> float:
    (found,) = (line.second for line in LINES[script] if line.told == told)
    return found


def test_everybody_says_something_in_order_within_the_lesson() -> None:
    assert set(LINES) == {"teach", *SCRIPTS}
    for script, lines in LINES.items():
        assert [line.second for line in lines] == sorted(line.second for line in lines), script
        assert all(0 <= line.second < LESSON_S for line in lines), script


def test_nobody_speaks_while_they_are_away() -> None:
    for script, (begin, end) in AWAY.items():
        assert not [line.told for line in LINES[script] if begin <= line.second <= end], script


def test_a_visitor_has_time_to_take_part() -> None:
    assert seconds("teach", "发起签到") + SIGN_IN_S >= VISITOR_S + THEN_S
    assert seconds("teach", "结束小测，公布结果") - seconds("teach", "发起随堂小测") >= THEN_S
    assert seconds("late", "下台") - seconds("teach", "邀请举手的学员上台") >= THEN_S
