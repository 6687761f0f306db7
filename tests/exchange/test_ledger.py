"""The rows of a 学时台账: seconds by lesson, hours once, nothing invented for a lesson that has not begun."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.attendance.cells import RecordState
from server.attendance.challenges.counting import Tally
from server.attendance.hours import Earned, whole
from server.attendance.minutes import Reason
from server.attendance.views import LessonResult
from server.exchange.ledger import COLUMNS, Ledger, Trainee, Value, ledger
from server.exchange.words import CHINESE, ENGLISH
from server.training.records import Institution, Platform, TrainingClass
from server.training.rules import Lesson, LessonState, Scheme, SubjectKind
from server.verify.hours import Rules, Settled

NOW_MS = 1_795_424_400_000  # 2026-11-23 09:00 UTC
HOME = TrainingClass(
    id="c1",
    code="演-1",
    name="养老护理员五级",
    occupation="养老护理员",
    level="五级",
    starts_on="2026-11-23",
    ends_on="2026-12-23",
    required_hours=40,
    token="t",
    created_ms=0,
    institution=Institution("i1", "示范学校（虚构）", "371525"),
    scheme=Scheme("default/1", "default", 1, "默认学时认定规则", '{"class_hour_ms": 2700000}', 0),
)
ONE = Lesson(
    "l1", "c1", 1, "老年人沟通", SubjectKind.THEORY, NOW_MS, NOW_MS + 5_400_000, "p", LessonState.ENDED, NOW_MS, NOW_MS
)
RULES = Rules(2_700_000)
TWO = replace(ONE, id="l2", number=2, title="职业道德", state=LessonState.PLANNED)
TRAINEE = Trainee("p1", 17, "演示·甲", "999***********0017")
PLATFORM = Platform("演示运营单位", "备-1", False)
RESULT = LessonResult(
    person_id="p1",
    lesson_id="l1",
    first_ms=NOW_MS + 1_999,
    last_ms=NOW_MS + 5_400_000,
    online_ms=5_398_001,
    open_ms=5_400_000,
    credit_ms=5_338_999,
    corrected_ms=0,
    reasons={"hidden": 59_002, "absent": 1_999},
    state=RecordState.CONFIRMED,
    confirmed_ms=5_338_999,
)


def made(
    *results: LessonResult,
    hours: Settled | None = None,
    confirmed: Settled | None = None,
    platform: Platform = PLATFORM,
) -> Ledger:
    summed = {"p1": Earned(hours, confirmed or hours)} if hours else {}
    return ledger(HOME, [ONE, TWO], [TRAINEE], results, summed, platform, NOW_MS)


def row(values: list[Value]) -> dict[str, Value]:
    return dict(zip(COLUMNS, values, strict=True))


def test_a_lesson_row_shows_seconds() -> None:
    first = row(made(RESULT).rows[0])
    assert first == {
        "序号": 17,
        "班级编号": "演-1",
        "工种": "养老护理员",
        "等级": "五级",
        "姓名": "演示·甲",
        "身份证号(掩码)": "999***********0017",
        "课次": 1,
        "课程": "老年人沟通",
        "授课方式": "线上直播",
        "计划开始": "2026-11-23 17:00:00",
        "计划结束": "2026-11-23 18:30:00",
        "实际开始": "2026-11-23 17:00:01",
        "实际结束": "2026-11-23 18:30:00",
        "在线秒": 5_398,
        "有效秒": 5_338,
        "无效秒·页面切到后台": 59,
        "无效秒·网络断开": 0,
        "无效秒·多设备登录": 0,
        "无效秒·未在课堂": 1,
        "无效秒·系统故障(待复核)": 0,
        "无效秒·窗口失焦": 0,
        "无效秒·空闲超时": 0,
        **dict.fromkeys(("无效秒·未播放", "无效秒·重复观看", "无效秒·超速或拖动"), 0),
        "更正秒": 0,
        "认定秒": 5_338,
        **{f"未认定秒·{why}": 0 for why in ("未应答抽查", "身份验证失败", "日累计超限", "时长过短")},
        "待核验秒": 0,
        "核验次数": 0,
        "核验通过": 0,
        "核验未过": 0,
        **{"核验未应答": 0, "迟到": 0, "完成课次": 0},
        "折算课时": "",
        "另余分钟": "",
        "认定课时": "",
        "认定状态": "已认定",
        "学时认定规则(版本)": "default v1",
    }


def test_a_lesson_that_has_not_begun_claims_nothing() -> None:
    known = made(
        RESULT, replace(RESULT, lesson_id="l2", open_ms=0, online_ms=0, credit_ms=0, reasons={}, first_ms=None)
    )
    assert known.rows == made(RESULT).rows
    second = row(known.rows[1])
    claimed = [second[name] for name in COLUMNS[COLUMNS.index("实际开始") : COLUMNS.index("学时认定规则(版本)")]]
    assert set(claimed) == {""}
    assert second["计划开始"] == "2026-11-23 17:00:00"


def test_both_what_was_recorded_and_what_was_corrected_are_shown() -> None:
    corrected, taken = replace(RESULT, corrected_ms=61_999), replace(RESULT, corrected_ms=-1_999)
    known = made(corrected, hours=whole(RULES, 5_338_999), confirmed=whole(RULES, 5_400_998))
    first, total = row(known.rows[0]), row(known.rows[2])
    assert (first["有效秒"], first["更正秒"]) == (5_338, 61)
    assert (total["有效秒"], total["更正秒"], total["折算课时"], total["认定课时"]) == (5_338, 61, 1, 2)
    assert row(made(taken).rows[0])["更正秒"] == -1


def test_the_course_row_has_hours_and_what_is_left() -> None:
    total = row(made(RESULT, hours=whole(RULES, 5_338_999)).rows[2])
    assert (total["课次"], total["折算课时"], total["另余分钟"], total["认定课时"]) == ("合计", 1, 43, 1)
    assert (total["在线秒"], total["有效秒"], total["认定状态"]) == (5_398, 5_338, "已认定")


def test_sums_are_rounded_once() -> None:
    half = replace(RESULT, online_ms=1_500, credit_ms=1_500, reasons={"hidden": 500})
    total = row(made(half, replace(half, lesson_id="l2")).rows[2])
    assert (total["在线秒"], total["有效秒"], total["无效秒·页面切到后台"]) == (3, 3, 1)


def test_what_challenges_left_is_shown_beside_what_was_recorded() -> None:
    asked = replace(
        RESULT,
        state=RecordState.PENDING,
        confirmed_ms=5_000_999,
        pending_ms=61_000,
        refused={"challenge_missed": 277_000},
        tally=Tally(4, 2, 1, 1),
    )
    first, _, total = (row(values) for values in made(asked).rows)
    for one in (first, total):
        assert (one["有效秒"], one["认定秒"], one["待核验秒"], one["认定状态"]) == (5_338, 5_000, 61, "待核验")
        assert (one["未认定秒·未应答抽查"], one["未认定秒·身份验证失败"]) == (277, 0)
        assert [one[name] for name in ("核验次数", "核验通过", "核验未过", "核验未应答")] == [4, 2, 1, 1]
    refused = replace(RESULT, state=RecordState.REFUSED, confirmed_ms=0)
    assert row(made(refused).rows[0])["认定状态"] == row(made(refused).rows[2])["认定状态"] == "未认定"
    second = replace(refused, lesson_id="l2", state=RecordState.CONFIRMED)
    assert row(made(refused, second).rows[2])["认定状态"] == "已认定"


def test_what_is_not_sealed_is_only_recorded() -> None:
    rows = made(replace(RESULT, state=RecordState.RECORDED), hours=whole(RULES, 0)).rows
    assert [row(values)["认定状态"] for values in rows] == ["已记录", "", "已记录"]


def test_a_trainee_who_never_came_has_rows_of_nothing() -> None:
    rows = made().rows
    assert len(rows) == 3
    total = row(rows[2])
    assert (total["有效秒"], total["折算课时"], total["认定课时"], total["认定状态"]) == (0, 0, 0, "已记录")


def test_every_reason_has_its_column() -> None:
    assert CHINESE.reasons.keys() == set(Reason)


def test_in_english_only_what_people_wrote_is_chinese() -> None:
    known = ledger(HOME, [ONE, TWO], [TRAINEE], [RESULT], {}, replace(PLATFORM, demo=True), NOW_MS, ENGLISH)
    written = [HOME.name, HOME.code, HOME.occupation, HOME.level, HOME.institution.name, PLATFORM.operator]
    written += [PLATFORM.record_number, TRAINEE.name, ONE.title, TWO.title]
    said = "\n".join([*known.head, *(str(value) for values in known.rows for value in values)])
    for own in sorted(written, key=len, reverse=True):
        assert own in said
        said = said.replace(own, "")
    assert said.isascii() or set(said) - set(map(chr, range(128))) == {"·"}
    assert known.head[0] == "Class hour ledger (internal) DEMO DATA"
    assert [len(values) for values in known.rows] == [len(ENGLISH.columns)] * 3


def test_the_head_says_who_when_and_under_which_scheme() -> None:
    head = "\n".join(made().head)
    for said in (
        "学时台账",
        "演-1",
        "养老护理员五级",
        "示范学校（虚构）",
        "演示运营单位",
        "备案编号：备-1",
        "default v1",
        "2700 秒",
        "2026-11-23 17:00:00（北京时间）",
        "无外部见证",
    ):
        assert said in head
    assert "演示数据" not in head
    assert "未填写" in "\n".join(made(platform=Platform("", "", False)).head)


def test_a_demo_says_so() -> None:
    demo = made(platform=replace(PLATFORM, demo=True))
    assert demo.demo
    assert "演示数据" in demo.head[0]
    assert "不得用于任何申报" in demo.head[-1]


@given(st.lists(st.integers(0, 5_400_000), min_size=1, max_size=4))
def test_shown_seconds_never_exceed_the_milliseconds(credits: list[int]) -> None:
    lessons = [replace(ONE, id=f"l{at}", number=at + 1) for at in range(len(credits))]
    results = [replace(RESULT, lesson_id=f"l{at}", credit_ms=credit) for at, credit in enumerate(credits)]
    rows = ledger(HOME, lessons, [TRAINEE], results, {}, PLATFORM, NOW_MS).rows
    shown = [row(values)["有效秒"] for values in rows]
    assert shown == [*(credit // 1_000 for credit in credits), sum(credits) // 1_000]
