"""Decides what is said and done in the demo lesson beside being there: by whom, from which second on.

What a visitor takes part in, the sign-in, the poll and the questions, stays open long enough for somebody who comes in
half a minute late. Nobody has a line while their script has them away.
"""

from collections.abc import Mapping
from typing import Final

from server.demo.acting import (
    Line,
    answers,
    answers_live,
    asks,
    brings_slides,
    chooses,
    closes_poll,
    comes_down,
    comes_up,
    does,
    draws,
    invites,
    says,
    signs_in,
    turns_to,
    votes,
)

POSTURE: Final = "躺着不能坐起来的老人，喂饭时床头抬多高？"
POSTURE_ANSWER: Final = "30° 以上，头略向前倾；吃完再保持 30 分钟。"
WARMTH: Final = "怎么试饭菜烫不烫？"
WARMTH_ANSWER: Final = "滴在自己手腕内侧，不烫才喂。"
SIGN_IN_S: Final = 60
#: of six trainees
ENOUGH: Final = 6
POLL: Final = {
    "kind": "single",
    "text": "喂水时，哪种姿势不容易呛？",
    "choices": ["平躺", "坐起或半卧，头略前倾", "坐着，头向后仰"],
    "right": [1],
}
#: around 30° 以上 and under 不要后仰 on the second page
RING: Final = (4_700, 3_780, 6_560, 4_920)
UNDERLINE: Final = (3_320, 6_020, 4_780, 6_020)

LINES: Final[Mapping[str, tuple[Line, ...]]] = {
    "teach": (
        Line(0, "放出课件第 1 页", brings_slides),
        Line(4, "在聊天里问好", says("大家好！看得清课件、听得清声音吗？")),
        Line(14, "发起签到", does("sign_in:open", seconds=SIGN_IN_S)),
        Line(32, "翻到第 2 页", turns_to(2)),
        Line(46, "在课件上画圈", draws(2, "ellipse", RING)),
        Line(50, "发言回答提问", answers_live(POSTURE)),
        Line(54, "在课件上画线", draws(2, "line", UNDERLINE)),
        Line(66, "写下回答，提问已解决", answers(POSTURE, POSTURE_ANSWER)),
        Line(76, "翻到第 3 页", turns_to(3)),
        Line(84, "发起随堂小测", does("poll:prepare", question=POLL, open=True)),
        Line(112, "书面回答匿名提问", answers(WARMTH, WARMTH_ANSWER)),
        Line(124, "结束小测，公布结果", closes_poll(ENOUGH, latest=140)),
        Line(130, "邀请举手的学员上台", invites()),
        Line(172, "在聊天里结束", says("今天就到这里，谢谢大家！")),
    ),
    "steady": (
        Line(8, "在聊天里回答", says("看得清，声音也清楚")),
        Line(18, "签到", signs_in()),
        Line(24, "提问", asks(POSTURE)),
        Line(72, "投票：我也想问", votes(WARMTH)),
        Line(92, "回答小测", chooses(1)),
    ),
    "backgrounded": (
        Line(21, "签到", signs_in()),
        Line(36, "投票：我也想问", votes(POSTURE)),
        Line(108, "回答小测", chooses(0)),
    ),
    "two_devices": (
        Line(26, "签到", signs_in()),
        Line(34, "投票：我也想问", votes(POSTURE)),
        Line(98, "回答小测", chooses(1)),
    ),
    "replayed": (
        Line(23, "签到", signs_in()),
        Line(38, "投票：我也想问", votes(POSTURE)),
        Line(58, "匿名提问", asks(WARMTH, anonymous=True)),
        Line(95, "回答小测", chooses(1)),
        Line(142, "在聊天里说", says("明白了，先试温度再喂")),
    ),
    "outage": (
        Line(28, "签到", signs_in()),
        Line(42, "投票：我也想问", votes(POSTURE)),
        Line(104, "回答小测", chooses(1)),
    ),
    "late": (
        Line(74, "在聊天里说", says("不好意思来晚了，讲到第几页了？")),
        Line(80, "投票：我也想问", votes(WARMTH)),
        Line(100, "回答小测", chooses(2)),
        Line(114, "举手", does("stage:raise")),
        Line(130, "上台连麦", comes_up),
        Line(162, "下台", comes_down),
    ),
}
