"""What the verifier says, in both languages; codes are stable, words are for reading."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from server.verify.report import Finding

#: China Standard Time: the same all year
LOCAL: Final = timezone(timedelta(hours=8))
NOBODY: Final = -1
#: the last minute of the year 9998
LAST: Final = 4_222_846_079

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "leaf_changed": ("这一分钟被改动", "this minute was changed"),
    "leaf_moved": ("这一分钟被移动或重复", "this minute was moved or stands twice"),
    "group_changed": ("这一分钟的汇总被改动", "the sums of this minute were changed"),
    "record_changed": ("被改动", "was changed"),
    "records_changed": (
        "这一分钟的记录有增减、移动或改动",
        "records of this minute were added, removed, moved or changed",
    ),
    "records_erased": (
        "有记录被删除，日志里没有保存期满的删除指令",
        "records were deleted, and nobody ordered it in the log after their time",
    ),
    "evidence_changed": ("明细与已封存的摘要不符", "the details do not fit their sealed digest"),
    "minute_moved": ("记录不在它所属的分钟里", "a record lies in another minute than its own"),
    "minute_doubled": ("同一分钟记了两次", "one minute was recorded twice"),
    "two_lessons": ("同一时刻在两个课次里计时", "was credited in two lessons at one moment"),
    "minute_missing": ("缺少记录", "records are missing"),
    "minute_wrong": ("记录不合规则", "a record breaks the rules"),
    "lease_wrong": ("终端租约不在日志里，或当时无效", "its lease is not in the log, or did not hold then"),
    "sum_wrong": ("合计与记录不符", "the sum does not fit the records"),
    "challenge_wrong": (
        "核验记录前后不符或不全",
        "records of challenges contradict each other, or some are missing",
    ),
    "challenge_skipped": (
        "按种子到时应抽查，始终没有抽查",
        "by the seed a challenge was due, and it never came",
    ),
    "challenge_shifted": (
        "抽查的时刻与种子不符",
        "was challenged at another time than the seed says",
    ),
    "seed_wrong": (
        "抽查的种子课前没有承诺、前后不符，或课后没有公开",
        "the seed of challenges was not committed to before the lesson, is another one, or was not shown after it",
    ),
    "page_key_wrong": (
        "页面密钥缺失，或与日志里登记的不符",
        "the key of its page is missing, or not the one that the log was told of",
    ),
    "page_signature_wrong": (
        "页面签名有误、缺失，或不是这一分钟的",
        "a page's signature is false, missing, or of another minute",
    ),
    "seat_wrong": ("座位或姓名与日志不符", "the log was told of another seat or name"),
    "name_wrong": (
        "台账里的姓名或证件号与日志不符",
        "the ledger says another name or ID number than the log was told",
    ),
    "lesson_wrong": ("课次编号或所属培训班与日志不符", "the log was told another number or class of this lesson"),
    "scheme_wrong": (
        "学时认定规则与日志不符，或前后不一",
        "the scheme is no scheme, or the log was told two",
    ),
    "correction_wrong": (
        "更正与原记录或前一次更正不符",
        "a correction does not follow from what counted before it",
    ),
    "settlement_wrong": (
        "结算与存证不符，或它的明细缺失、被改动",
        "the settlement does not follow from the evidence, or its details are missing or changed",
    ),
    "settlement_missing": ("结算缺少记录", "records of the settlement are missing"),
    "settlement_unknown": ("日志里没有这次结算", "the log was not told of this settlement"),
    "step_missing": ("缺失", "is missing"),
    "step_doubled": ("记了两次", "stands twice"),
    "step_moved": ("所在的分钟早于前面的步骤", "lies in a minute before that of an earlier one"),
    "sheet_differs": ("台账里的学时与存证不符", "the ledger says another time than the evidence proves"),
    "receipt_differs": ("与学员的学时回执不符", "differs from the receipt that the trainee kept"),
    "total_wrong": ("总时长与各分钟之和不符", "the total does not fit its minutes"),
}

#: a successor whose own key the reader was not given
SUCCESSOR: Final = (
    "前后一致，但来源未经认证：这是一份后继日志，接替以前的部分无人能够证实；只有另行取得它自己的公钥才算认证",
    "consistent, NOT authenticated: this is a successor log, and nobody can confirm its earlier part; "
    "it counts only with its own key, which must come from elsewhere",
)


def unseen(minutes: int) -> str:
    """None of the witnesses whom the reader named has seen so many minutes."""
    return (
        f"! 前后一致，但给出的见证方没有见过其中 {minutes} 分钟：签名者随时能够重做 · consistent, NOT authenticated: "
        f"none of your witnesses has seen {minutes} minutes of it, and who signs could make them anew"
    )


def chinese(finding: Finding) -> str:
    """第 3 课次 10:14 学员 #17 被改动."""
    parts = [f"第 {finding.settlement} 次结算"] if finding.settlement != NOBODY else []
    parts += [f"第 {finding.lesson} 课次"] if finding.lesson != NOBODY else []
    parts += [moment(finding.slot)] if finding.slot != NOBODY else []
    parts += [f"学员 #{finding.seat}"] if finding.seat != NOBODY else []
    parts += [f"互动记录 第 {finding.step} 步"] if finding.step != NOBODY else []
    return " ".join([*parts, WORDS[finding.code][0]])


def english(finding: Finding) -> str:
    """Lesson 3, 10:14, trainee #17 was changed."""
    parts = [f"settlement {finding.settlement}"] if finding.settlement != NOBODY else []
    parts += [f"lesson {finding.lesson}"] if finding.lesson != NOBODY else []
    parts += [moment(finding.slot)] if finding.slot != NOBODY else []
    parts += [f"trainee #{finding.seat}"] if finding.seat != NOBODY else []
    parts += [f"act {finding.step}"] if finding.step != NOBODY else []
    return ", ".join(parts) + f": {WORDS[finding.code][1]}"


def moment(slot: int) -> str:
    """A unix minute as the clock on the wall showed it; one that no calendar has as its number."""
    if not 0 <= slot <= LAST:
        return str(slot)
    return datetime.fromtimestamp(slot * 60, UTC).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
