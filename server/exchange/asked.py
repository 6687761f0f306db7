"""Decides what a file of a lesson's polls, quick quizzes and sign-ins says, and how it becomes .xlsx or .csv. Pure.

Two tables: what came of each, choice by choice, and who answered what. An anonymous poll is in the first one alone. A
cell is text or a number; nothing in it is a formula to an office program.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import xlsxwriter

from server.core.clock import LOCAL_ZONE, to_datetime
from server.exchange.ledger import MOMENT, Value
from server.exchange.ledger_file import AS_TEXT, harmless
from server.exchange.words import Language
from server.live.acts.polls_api import KeptPoll, KeptPolls, KeptSignIn, PollPerson

WIDTHS: Final = (6, 12, 40, 20, 20, 32, 12, 12, 12)
Row = list[Value]


@dataclass(frozen=True, slots=True)
class AskedWords:
    """The fixed words of such a file."""

    file: str
    title: str
    now: str
    demo: str
    results: str
    people: str
    result_columns: tuple[str, ...]
    people_columns: tuple[str, ...]
    poll: str
    anonymous: str
    quiz: str
    sign_in: str
    judgements: tuple[str, str]
    yes: str
    no: str
    here: str
    missing: str
    silent: str
    everybody: str
    comma: str


WORDS: Final[Mapping[Language, AskedWords]] = {
    Language.CHINESE: AskedWords(
        file="投票与签到",
        title="投票、小测与签到：{title}",
        now="生成时间：{now}（北京时间）。签到不计考勤。",
        demo="本文件为演示数据，人员与机构均为虚构，不得用于任何申报。",
        results="结果",
        people="明细",
        result_columns=("序号", "类型", "题目", "开始", "结束", "选项", "正确答案", "人数", "占比（%）"),
        people_columns=("序号", "类型", "题目", "座号", "姓名", "回答", "是否正确", "签到时间"),
        poll="投票",
        anonymous="匿名投票",
        quiz="小测",
        sign_in="签到",
        judgements=("对", "错"),
        yes="是",
        no="否",
        here="已签到",
        missing="未签到",
        silent="未作答",
        everybody="全部作答",
        comma="、",
    ),
    Language.ENGLISH: AskedWords(
        file="polls",
        title="Polls, quizzes and sign-ins: {title}",
        now="Made at {now} (Beijing time). A sign-in is no attendance.",
        demo="This file holds demo data: people and institutions are invented; it serves no application whatever.",
        results="Results",
        people="Answers",
        result_columns=("No.", "Kind", "Question", "From", "To", "Choice", "Right", "People", "Share (%)"),
        people_columns=("No.", "Kind", "Question", "Seat", "Name", "Answer", "Is right", "Signed in at"),
        poll="Poll",
        anonymous="Anonymous poll",
        quiz="Quiz",
        sign_in="Sign-in",
        judgements=("True", "False"),
        yes="yes",
        no="no",
        here="here",
        missing="not signed in",
        silent="not answered",
        everybody="All answers",
        comma=", ",
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """All that is in a file."""

    words: AskedWords
    head: list[str]
    results: list[Row]
    people: list[Row]


def asked(words: AskedWords, title: str, kept: KeptPolls, now_ms: int, *, demo: bool) -> Asked:
    """Polls in order, then sign-ins, numbered through."""
    results: list[Row] = []
    people: list[Row] = []
    for number, poll in enumerate(kept.polls, start=1):
        what: Row = [number, _kind(words, poll), poll.face.text]
        results += [[*what, *row] for row in _results(words, poll)]
        people += [[*what, *_person(words, poll, one)] for one in poll.people]
    for number, sign_in in enumerate(kept.sign_ins, start=1 + len(kept.polls)):
        what = [number, words.sign_in, ""]
        results += [[*what, *row] for row in _signed(words, sign_in)]
        for one in sign_in.people:
            said = words.missing if one.at_ms is None else words.here
            people.append([*what, one.seat or "", one.name, said, "", _moment(one.at_ms)])
    head = [words.title.format(title=title), words.now.format(now=_moment(now_ms)), *([words.demo] if demo else [])]
    return Asked(words, head, results, people)


def _kind(words: AskedWords, poll: KeptPoll) -> str:
    return words.quiz if poll.face.quiz else words.anonymous if poll.face.anonymous else words.poll


def _results(words: AskedWords, poll: KeptPoll) -> Iterable[Row]:
    """A line for all that answered, then one a choice, or one a text that was written."""
    face, answered = poll.face, poll.tally.answered
    when: Row = [_moment(face.opened_ms), _moment(face.closed_ms)]
    yield [*when, words.everybody, "", answered, ""]
    if face.kind == "text":
        yield from ([*when, one.text, "", one.count, _share(one.count, answered)] for one in poll.texts)
        return
    for at, (choice, count) in enumerate(zip(_choices(words, poll), poll.tally.counts, strict=True)):
        right = (words.yes if at in face.right else words.no) if face.quiz else ""
        yield [*when, choice, right, count, _share(count, answered)]


def _person(words: AskedWords, poll: KeptPoll, one: PollPerson) -> Row:
    choices = _choices(words, poll)
    said = one.text or words.comma.join(choices[at] for at in one.choices)
    right = "" if one.right is None else words.yes if one.right else words.no
    return [one.seat or "", one.name, said if one.answered else words.silent, right, ""]


def _signed(words: AskedWords, one: KeptSignIn) -> Iterable[Row]:
    when: Row = [_moment(one.opened_ms), _moment(one.closed_ms)]
    here = sum(1 for person in one.people if person.at_ms is not None)
    yield [*when, words.here, "", here, _share(here, len(one.people))]
    yield [*when, words.missing, "", len(one.people) - here, _share(len(one.people) - here, len(one.people))]


def _choices(words: AskedWords, poll: KeptPoll) -> list[str]:
    return list(words.judgements) if poll.face.kind == "judgement" else poll.face.choices


def _share(count: int, of: int) -> int:
    """Per cent, to the nearest."""
    return (200 * count + of) // (2 * of) if of else 0


def _moment(ms: int | None) -> str:
    return "" if ms is None else to_datetime(ms).astimezone(LOCAL_ZONE).strftime(MOMENT)


def write_csv(found: Asked) -> bytes:
    """Both tables one below the other; UTF-8 with BOM. What could be a formula gets an apostrophe before it."""
    words = found.words
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([harmless(line)] for line in found.head)
    for name, columns, rows in (
        (words.results, words.result_columns, found.results),
        (words.people, words.people_columns, found.people),
    ):
        writer.writerows([[], [name], columns])
        writer.writerows([harmless(value) for value in row] for row in rows)
    return ("\ufeff" + buffer.getvalue()).encode()


def write_xlsx(found: Asked) -> bytes:
    """A sheet for each table; numbers as numbers, everything else as text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, AS_TEXT)
    plain, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
    words = found.words
    for name, columns, rows in (
        (words.results, words.result_columns, found.results),
        (words.people, words.people_columns, found.people),
    ):
        sheet = book.add_worksheet(name)
        for at, line in enumerate(found.head):
            sheet.write_string(at, 0, line, bold if at == 0 else plain)
        top = len(found.head)
        for at, column in enumerate(columns):
            sheet.write_string(top, at, column, bold)
            sheet.set_column(at, at, WIDTHS[at])
        for number, row in enumerate(rows, start=top + 1):
            for at, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(number, at, value)
                else:
                    sheet.write_string(number, at, value, plain)
        sheet.freeze_panes(top + 1, 0)
    book.close()
    return buffer.getvalue()
