"""Decides what stands in a 学时台账: its columns, a row per trainee and lesson, one 合计 row per trainee. Pure.

Known so far; 核验, 随堂测试 and 证据摘要 follow with what they rest on. Milliseconds are summed whole; every shown
second, minute and hour is rounded down once, from its own sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from server.attendance.hours import ClassHours
from server.attendance.minutes import Reason
from server.attendance.views import LessonResult
from server.core.clock import LOCAL_ZONE, to_datetime
from server.training.records import Platform, TrainingClass
from server.training.rules import Lesson

Value: TypeAlias = str | int

TITLE: Final = "学时台账（内部台账）"
DEMO_MARK: Final = "演示数据"
TOTAL: Final = "合计"
DELIVERY: Final = "线上直播"
RECORDED: Final = "已记录"
CONFIRMED: Final = "已认定"
REASONS: Final[Mapping[Reason, str]] = {
    Reason.HIDDEN: "页面切到后台",
    Reason.DISCONNECTED: "网络断开",
    Reason.OTHER_DEVICE: "多设备登录",
    Reason.ABSENT: "未在课堂",
    Reason.SERVER_FAULT: "系统故障(待复核)",
}
COLUMNS: Final = (
    *("序号", "班级编号", "工种", "等级", "姓名", "身份证号(掩码)", "课次", "课程", "授课方式"),
    *("计划开始", "计划结束", "实际开始", "实际结束", "在线秒", "有效秒"),
    *(f"无效秒·{words}" for words in REASONS.values()),
    *("折算课时", "另余分钟", "认定课时", "认定状态", "学时认定规则(版本)"),
)


@dataclass(frozen=True, slots=True)
class Trainee:
    """A trainee as a file names them."""

    person_id: str
    seat: int
    name: str
    id_number_masked: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of one file, before it becomes bytes: lines of the head, then COLUMNS, then rows."""

    code: str
    demo: bool
    head: list[str]
    rows: list[list[Value]]


def ledger(
    home: TrainingClass,
    lessons: Sequence[Lesson],
    trainees: Iterable[Trainee],
    results: Iterable[LessonResult],
    hours: Mapping[str, ClassHours],
    platform: Platform,
    now_ms: int,
) -> Ledger:
    """A class's ledger. A trainee without a result of a lesson (it has not begun) has a row without seconds."""
    known = {(result.person_id, result.lesson_id): result for result in results}
    rows: list[list[Value]] = []
    for trainee in trainees:
        mine = [(lesson, known.get((trainee.person_id, lesson.id))) for lesson in lessons]
        rows += [_lesson_row(home, trainee, lesson, result) for lesson, result in mine]
        begun = [result for _lesson, result in mine if result is not None and result.open_ms]
        rows.append(_total_row(home, trainee, begun, hours.get(trainee.person_id, ClassHours(0, 0, 0))))
    return Ledger(home.code, platform.demo, _head(home, platform, now_ms), rows)


def _head(home: TrainingClass, platform: Platform, now_ms: int) -> list[str]:
    lines = [
        f"{TITLE} {DEMO_MARK}" if platform.demo else TITLE,
        f"班级：{home.code} {home.name}　工种：{home.occupation}　等级：{home.level}",
        f"承训机构：{home.institution.name}　应修课时：{home.required_hours}",
        f"平台运营单位：{platform.operator or '未填写'}　备案编号：{platform.record_number or '未填写'}",
        f"学时认定规则：{home.scheme.title} {_scheme(home)}　每课时 {home.scheme.class_hour_ms // 1000} 秒有效时间",
        f"生成时间：{_moment(now_ms)}（北京时间）",
        "说明：毫秒累加后一次折算，秒、分钟、课时均向下取整；折算课时只计已封存的分钟。外部见证：无外部见证。",
    ]
    if platform.demo:
        lines.append("本文件为演示数据，人员与机构均为虚构，不得用于任何申报。")
    return lines


def _lesson_row(home: TrainingClass, trainee: Trainee, lesson: Lesson, result: LessonResult | None) -> list[Value]:
    plan: list[Value] = [lesson.number, lesson.title, DELIVERY]
    plan += [_moment(lesson.planned_start_ms), _moment(lesson.planned_end_ms)]
    begun = result is not None and result.open_ms > 0
    if result is None or not begun:
        return [*_who(home, trainee), *plan, "", "", "", "", *("" for _ in REASONS), "", "", "", "", _scheme(home)]
    seen = [_moment(result.first_ms), _moment(result.last_ms)]
    state = CONFIRMED if result.sealed else RECORDED
    return [*_who(home, trainee), *plan, *seen, *_seconds([result]), "", "", "", state, _scheme(home)]


def _total_row(home: TrainingClass, trainee: Trainee, results: list[LessonResult], hours: ClassHours) -> list[Value]:
    """The course row: whole hours and what is left over; under `challenges: none` what is sealed is confirmed."""
    sealed = bool(results) and all(result.sealed for result in results)
    end: list[Value] = [hours.class_hours, hours.remainder_ms // 60_000, hours.class_hours]
    end += [CONFIRMED if sealed else RECORDED, _scheme(home)]
    return [*_who(home, trainee), TOTAL, "", DELIVERY, "", "", "", "", *_seconds(results), *end]


def _who(home: TrainingClass, trainee: Trainee) -> list[Value]:
    return [trainee.seat, home.code, home.occupation, home.level, trainee.name, trainee.id_number_masked]


def _seconds(results: Sequence[LessonResult]) -> list[Value]:
    online = sum(result.online_ms for result in results)
    credit = sum(result.credit_ms for result in results)
    lost = [sum(result.reasons.get(reason.code, 0) for result in results) for reason in REASONS]
    return [ms // 1000 for ms in (online, credit, *lost)]


def _scheme(home: TrainingClass) -> str:
    return f"{home.scheme.name} v{home.scheme.version}"


def _moment(ms: int | None) -> str:
    """A moment as people in the county read it."""
    return "" if ms is None else to_datetime(ms).astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S")
