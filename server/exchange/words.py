"""Decides how a ledger file speaks: Chinese, as the county files it, or English beside it for whoever reads no Chinese.

Names, codes and titles stay as they were given; so does an institution's own scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.attendance.cells import RecordState
from server.attendance.minutes import Reason
from server.verify.hours import Excess, Rounding
from server.verify.vouched import Refusal


class Language(StrEnum):
    """What pages and files are written in."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of a ledger. `head` are lines with blanks; `columns` in the order of a row's values."""

    title: str
    file: str
    sheet: str
    demo_mark: str
    demo_notice: str
    total: str
    delivery: str
    states: Mapping[RecordState, str]
    none: str
    reasons: Mapping[Reason, str]
    refusals: Mapping[Refusal, str]
    #: what a scheme takes of what counts
    cuts: Mapping[Excess, str]
    #: what it says of class hours, by rounding and by the names of its rules
    rules: Mapping[str, str]
    list_mark: str
    schemes: Mapping[str, str]
    head: tuple[str, ...]
    before: tuple[str, ...]
    seconds: tuple[str, ...]
    lost: str
    refused: str
    checks: tuple[str, ...]
    after: tuple[str, ...]
    wide: Mapping[str, int]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns' names."""
        lost = (self.lost.format(reason=words) for words in self.reasons.values())
        refused = (self.refused.format(reason=words) for words in (*self.refusals.values(), *self.cuts.values()))
        return (*self.before, *self.seconds, *lost, *refused, *self.checks, *self.after)


CHINESE: Final = Words(
    title="学时台账（内部台账）",
    file="学时台账",
    sheet="学时台账",
    demo_mark="演示数据",
    demo_notice="本文件为演示数据，人员与机构均为虚构，不得用于任何申报。",
    total="合计",
    delivery="线上直播",
    states={
        RecordState.RECORDED: "已记录",
        RecordState.PENDING: "待核验",
        RecordState.CONFIRMED: "已认定",
        RecordState.REFUSED: "未认定",
    },
    none="未填写",
    reasons={
        Reason.HIDDEN: "页面切到后台",
        Reason.DISCONNECTED: "网络断开",
        Reason.OTHER_DEVICE: "多设备登录",
        Reason.ABSENT: "未在课堂",
        Reason.SERVER_FAULT: "系统故障(待复核)",
        Reason.BLURRED: "窗口失焦",
        Reason.IDLE: "空闲超时",
        Reason.NOT_PLAYING: "未播放",
        Reason.REWATCHED: "重复观看",
        Reason.TOO_FAST: "超速或拖动",
    },
    refusals={Refusal.CHALLENGE_MISSED: "未应答抽查", Refusal.IDENTITY_FAILED: "身份验证失败"},
    cuts={Excess.DAILY_CAP: "日累计超限", Excess.TOO_SHORT: "时长过短"},
    rules={
        Rounding.DOWN: "每课时 {n} 秒有效时间，课时向下取整",
        Rounding.NEAREST: "每课时 {n} 秒有效时间，课时四舍五入",
        "daily_cap_ms": "每日最多计 {n} 分钟",
        "shortest_ms": "连续不足 {n} 分钟不计",
        "complete_percent": "认定达到授课时间的 {n}% 为完成课次",
        "late_ms": "开课 {n} 分钟后才到为迟到",
    },
    list_mark="；",
    schemes={},
    head=(
        "班级：{code} {name}　工种：{occupation}　等级：{level}",
        "承训机构：{institution}　应修课时：{hours}",
        "平台运营单位：{operator}　备案编号：{record}",
        "学时认定规则：{scheme}　{rules}",
        "生成时间：{now}（北京时间）",
        "说明：毫秒累加后一次折算，秒、分钟均向下取整；折算课时只计已封存的分钟，认定秒与认定课时扣除待核验秒与未认定秒，另计更正秒。"
        "外部见证：无外部见证。",
    ),
    before=(
        *("序号", "班级编号", "工种", "等级", "姓名", "身份证号(掩码)", "课次", "课程", "授课方式"),
        *("计划开始", "计划结束"),
    ),
    seconds=("实际开始", "实际结束", "在线秒", "有效秒", "更正秒", "认定秒"),
    lost="无效秒·{reason}",
    refused="未认定秒·{reason}",
    checks=("待核验秒", "核验次数", "核验通过", "核验未过", "核验未应答", "迟到", "完成课次"),
    after=("折算课时", "另余分钟", "认定课时", "认定状态", "学时认定规则(版本)"),
    wide={"课程": 28, "身份证号(掩码)": 22, "学时认定规则(版本)": 18},
)

ENGLISH: Final = Words(
    title="Class hour ledger (internal)",
    file="class-hours",
    sheet="Class hours",
    demo_mark="DEMO DATA",
    demo_notice="This file holds demo data: people and institutions are invented; it serves no application whatever.",
    total="Total",
    delivery="live online",
    states={
        RecordState.RECORDED: "recorded",
        RecordState.PENDING: "to be verified",
        RecordState.CONFIRMED: "confirmed",
        RecordState.REFUSED: "not confirmed",
    },
    none="not given",
    reasons={
        Reason.HIDDEN: "page in the background",
        Reason.DISCONNECTED: "network lost",
        Reason.OTHER_DEVICE: "on another device",
        Reason.ABSENT: "not in the lesson",
        Reason.SERVER_FAULT: "system fault (to be reviewed)",
        Reason.BLURRED: "window without focus",
        Reason.IDLE: "nobody moved",
        Reason.NOT_PLAYING: "not playing",
        Reason.REWATCHED: "watched again",
        Reason.TOO_FAST: "too fast or dragged",
    },
    refusals={Refusal.CHALLENGE_MISSED: "check not answered", Refusal.IDENTITY_FAILED: "identity not verified"},
    cuts={Excess.DAILY_CAP: "beyond the day's limit", Excess.TOO_SHORT: "too short"},
    rules={
        Rounding.DOWN: "{n} s of valid time make a class hour, rounded down",
        Rounding.NEAREST: "{n} s of valid time make a class hour, rounded to the nearest",
        "daily_cap_ms": "at most {n} minutes count a day",
        "shortest_ms": "less than {n} minutes on end do not count",
        "complete_percent": "a lesson is completed with {n} % of what was delivered",
        "late_ms": "who first comes more than {n} minutes after it opened is late",
    },
    list_mark="; ",
    schemes={"default": "Default scheme", "prompts": "Scheme with prompt challenges"},
    head=(
        "Class: {code} {name} · Occupation: {occupation} · Level: {level}",
        "Institution: {institution} · Required class hours: {hours}",
        "Operator: {operator} · Record number: {record}",
        "Scheme: {scheme} · {rules}",
        "Made at {now} (Beijing time)",
        "Milliseconds are added up and converted once; seconds and minutes are rounded down; class hours "
        "count sealed minutes only; confirmed seconds and hours leave out what waits for a check or was voided by one, "
        "and take in corrections. External witness: none.",
    ),
    before=(
        *("No.", "Class code", "Occupation", "Level", "Name", "ID number (masked)", "Lesson", "Title", "Delivery"),
        *("Planned start", "Planned end"),
    ),
    seconds=("Actual start", "Actual end", "Online s", "Valid s", "Corrected s", "Confirmed s"),
    lost="Not valid s · {reason}",
    refused="Not confirmed s · {reason}",
    checks=("To be verified s", "Checks", "Checks passed", "Checks failed", "Checks not answered", "Late", "Completed"),
    after=("Class hours computed", "Minutes left over", "Class hours confirmed", "State", "Scheme (version)"),
    wide={"Title": 28, "ID number (masked)": 22, "Scheme (version)": 18},
)

WORDS: Final[Mapping[Language, Words]] = {Language.CHINESE: CHINESE, Language.ENGLISH: ENGLISH}
