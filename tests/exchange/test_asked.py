"""What a file of polls and sign-ins says: named where it was asked by name, tallies alone where not, no formula."""

import csv
import io
import zipfile

import openpyxl
import pytest

from server.exchange.asked import WORDS, Asked, asked, write_csv, write_xlsx
from server.exchange.ledger_file import FORMULA_STARTS
from server.exchange.words import Language
from server.live.acts.poll_rules import Kind
from server.live.acts.polls import PollFace, PollTally, PollText
from server.live.acts.polls_api import KeptPoll, KeptPolls, KeptSignIn, PollPerson, SignedIn

BEGAN = 1_795_424_400_000
CHINESE = WORDS[Language.CHINESE]


def face(kind: Kind, text: str, choices: list[str], right: list[int], *, anonymous: bool = False) -> PollFace:
    return PollFace(
        state="closed",
        kind=kind,
        text=text,
        choices=choices,
        least=1,
        most=2,
        seconds=None,
        anonymous=anonymous,
        changeable=False,
        quiz=bool(right),
        right=right,
        shown=True,
        opened_ms=BEGAN,
        closes_ms=None,
        closed_ms=BEGAN + 60_000,
    )


def found(name: str = "甲", text: str = "先做什么？") -> Asked:
    """A quiz, a judgement, an anonymous poll, a short text, and a sign-in."""
    quiz = KeptPoll(
        "1",
        face("multiple", text, ["停机", "测量"], [0]),
        PollTally(2, [2, 1], [], 0),
        [],
        [PollPerson("a", 1, name, True, [0, 1], "", False), PollPerson("b", 2, "乙", False, [], "", None)],
    )
    judged = KeptPoll(
        "2",
        face("judgement", "对吗？", [], []),
        PollTally(1, [0, 1], [], 0),
        [],
        [PollPerson("a", 1, name, True, [1], "", None)],
    )
    secret = KeptPoll(
        "3", face("single", "累吗？", ["累", "不累"], [], anonymous=True), PollTally(3, [1, 2], [], 0), [], []
    )
    written = KeptPoll(
        "4",
        face("text", "一句话", [], []),
        PollTally(1, [], [], 1),
        [PollText(name, 1)],
        [PollPerson("a", 0, name, True, [], name, None)],
    )
    here = KeptSignIn("5", BEGAN, None, [SignedIn("a", 1, name, BEGAN + 5_000), SignedIn("b", 2, "乙", None)])
    return asked(CHINESE, name, KeptPolls([quiz, judged, secret, written], [here], None), BEGAN, demo=False)


def test_results_have_each_choice_with_its_number() -> None:
    rows = [[row[0], row[1], *row[5:]] for row in found().results]
    assert rows == [
        [1, "小测", "全部作答", "", 2, ""],
        [1, "小测", "停机", "是", 2, 100],
        [1, "小测", "测量", "否", 1, 50],
        [2, "投票", "全部作答", "", 1, ""],
        [2, "投票", "对", "", 0, 0],
        [2, "投票", "错", "", 1, 100],
        [3, "匿名投票", "全部作答", "", 3, ""],
        [3, "匿名投票", "累", "", 1, 33],
        [3, "匿名投票", "不累", "", 2, 67],
        [4, "投票", "全部作答", "", 1, ""],
        [4, "投票", "甲", "", 1, 100],
        [5, "签到", "已签到", "", 1, 50],
        [5, "签到", "未签到", "", 1, 50],
    ]
    assert found().results[0][3:5] == ["2026-11-23 17:00:00", "2026-11-23 17:01:00"]


def test_people_are_named_with_what_they_said_but_for_the_anonymous_poll() -> None:
    assert [[row[0], *row[3:]] for row in found().people] == [
        [1, 1, "甲", "停机、测量", "否", ""],
        [1, 2, "乙", "未作答", "", ""],
        [2, 1, "甲", "错", "", ""],
        [4, "", "甲", "甲", "", ""],
        [5, 1, "甲", "已签到", "", "2026-11-23 17:00:05"],
        [5, 2, "乙", "未签到", "", ""],
    ]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_of_a_csv_begins_as_a_formula(start: str) -> None:
    content = write_csv(found(f"{start}x", f"{start}cmd"))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert not any(cell.startswith(FORMULA_STARTS) for row in rows for cell in row)
    assert sum(f"'{start}x" in row for row in rows) == 5


def test_xlsx_holds_no_formula_and_both_tables() -> None:
    content = write_xlsx(found("=1+1", "http://evil.example"))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = "".join(packed.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2))
    assert ("<f>" in sheets, "hyperlink" in sheets.lower()) == (False, False)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["结果", "明细"]
    rows = [list(row) for row in book["明细"].iter_rows(min_row=3, values_only=True)]
    assert tuple(rows[0]) == CHINESE.people_columns
    assert rows[1] == [1, "小测", "http://evil.example", 1, "=1+1", "停机、测量", "否", ""]
    assert [cell.data_type for cell in book["明细"][4]][:5] == ["n", "s", "s", "n", "s"]


@pytest.mark.parametrize("language", list(Language))
def test_each_language_has_a_word_for_each_column(language: Language) -> None:
    words = WORDS[language]
    made = asked(words, "x", KeptPolls([], [], None), BEGAN, demo=True)
    assert made.head == [words.title.format(title="x"), words.now.format(now="2026-11-23 17:00:00"), words.demo]
    assert (len(words.result_columns), len(words.people_columns)) == (9, 8)
