"""The 学时台账 in a package must say what its evidence proves, whichever program wrote it."""

import io
import zipfile

import pytest

from server.exchange.ledger import Ledger, Value
from server.exchange.ledger_file import write_csv, write_xlsx
from server.exchange.words import CHINESE
from server.verify.sheets import Row, csv_rows, differing, sheet_rows

WHO: list[Value] = [17, "YS-1", "养老护理员", "五级", "王\n二, “小”", "3301****"]
PLAN: list[Value] = ["标题", "直播", "9:00", "10:00", "9:01", "9:59"]
LOST: list[Value] = [0 for _ in CHINESE.reasons]
END: list[Value] = ["", "", "", "已认定", "s v1"]


def ledger() -> Ledger:
    """A trainee who was there, one whose lesson has not begun, and a row of totals."""
    rows = [
        [*WHO, 3, *PLAN, 3600, 3599, -61, 3538, *LOST, *END],
        [18, *WHO[1:], 3, *PLAN, "", "", "", "", *LOST, *END],
        [*WHO, CHINESE.total, *PLAN, 3600, 3599, -61, 3538, *LOST, *END],
    ]
    return Ledger("YS-1", False, CHINESE, ["标题", "第一行"], rows)


def test_both_forms_say_the_same() -> None:
    found = csv_rows(write_csv(ledger()).decode("utf-8-sig"))
    with zipfile.ZipFile(io.BytesIO(write_xlsx(ledger()))) as book:
        in_book = sheet_rows(book.read("xl/worksheets/sheet1.xml"))
    assert found == in_book == [Row(17, 3, 3599, -61, 3538), Row(18, 3, None)]


def said(seat: int, lesson: int, seconds: int | None, corrected: int | None = None) -> Row:
    """A row in which all counts that was recorded, and what was corrected."""
    nothing = seconds is None and corrected is None
    return Row(seat, lesson, seconds, corrected, None if nothing else (seconds or 0) + (corrected or 0))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([said(17, 3, 60), said(18, 3, 0)], []),
        ([said(17, 3, 60), said(18, 3, None)], []),
        ([said(17, 3, 61), said(18, 3, 0)], [said(17, 3, 61)]),
        ([said(17, 3, 60), said(18, 3, 1)], [said(18, 3, 1)]),
        ([said(17, 3, 60), said(17, 3, 600)], [said(17, 3, 600)]),
        ([said(18, 3, 0)], [said(17, 3, None)]),
        ([said(17, 3, None)], [said(17, 3, None)]),
        ([said(17, 3, 60), said(99, 3, 60)], [said(99, 3, 60)]),
        ([said(17, 3, 60), said(17, 4, 6000)], []),
        ([said(17, 3, 60, 0), said(18, 3, 0, 0)], []),
        ([said(17, 3, 60, 1)], [said(17, 3, 60, 1)]),
    ],
)
def test_what_differs(rows: list[Row], found: list[Row]) -> None:
    assert differing(rows, {(3, 17): 60_999, (3, 18): 999}, {}, {}, [3]) == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([said(17, 3, 60, -1), said(19, 3, 0, 60)], []),
        ([said(17, 3, 60, -2), said(19, 3, 0, 60)], [said(17, 3, 60, -2)]),
        ([said(17, 3, 60), said(19, 3, 0, 60)], [said(17, 3, 60)]),
        ([said(17, 3, 60, -1), said(19, 3, None, 59)], [said(19, 3, None, 59)]),
        ([said(17, 3, 60, -1)], [said(19, 3, None)]),
    ],
)
def test_what_differs_of_corrections(rows: list[Row], found: list[Row]) -> None:
    assert differing(rows, {(3, 17): 60_999}, {(3, 17): -1_999, (3, 19): 60_999, (3, 18): 999}, {}, [3]) == found


@pytest.mark.parametrize(
    ("confirmed", "differs"), [(50, False), (51, True), (49, True), (60, True), (None, True), (0, True)]
)
def test_what_differs_of_what_counts(confirmed: int | None, differs: bool) -> None:
    one = Row(17, 3, 60, 0, confirmed)
    assert (differing([one], {(3, 17): 60_999}, {}, {(3, 17): 10_000}, [3]) == [one]) is differs


@pytest.mark.parametrize("text", ["", "a,b\r\n1,2\r\n", '"', "17,,,,,,3" + "," * 7 + "x"])
def test_other_text_has_no_rows(text: str) -> None:
    assert csv_rows(text) in ([], [Row(17, 3, None)])
