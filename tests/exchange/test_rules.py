"""Every bad row is named with its reason, every good one is kept."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts import id_number
from server.core.clock import to_datetime
from server.core.errors import DomainError
from server.exchange.rules import HEADER_ROWS, ROWS_MAXIMUM, Cell, Line, Rejected, Row, judge, same_name
from tests.accounts.store import NOW_MS, number

HEADER: list[Cell] = ["姓名", "身份证号", "联系电话"]


def check(text: str) -> str:
    return id_number.checked(text, to_datetime(NOW_MS).date(), demo=True)


def lines(*rows: Sequence[Cell]) -> list[Line]:
    return [(at, list(row)) for at, row in enumerate(rows, start=1)]


def read(*rows: Sequence[Cell]) -> tuple[list[Row], list[Rejected]]:
    return judge([lines(HEADER, *rows)], "演-1", check)


def only(*row: Cell) -> tuple[int, str, str, str]:
    good, (bad,) = read(row)
    assert good == []
    return bad.row, bad.column, bad.code, bad.value


def test_good_rows_as_they_stand() -> None:
    good, bad = read(["演示·甲", number(1), "138 0000 0000"], [" 演示·乙 ", f"'{number(2).lower()}", 13800000000.0])
    assert bad == []
    assert good == [Row(2, "演示·甲", number(1), "13800000000"), Row(3, "演示·乙", number(2), "13800000000")]
    assert number(1) not in repr(good)


LOST = "110101199003070000"
MASK = "999***********"


@pytest.mark.parametrize(
    ("row", "column", "code", "value"),
    [
        (["", number(1)], "姓名", "name_missing", ""),
        (["   ", number(1)], "姓名", "name_missing", "   "),
        (["长" * 61, number(1)], "姓名", "name_malformed", "长" * 40),
        (["甲\u202e", number(1)], "姓名", "name_malformed", "甲\u202e"),
        (["甲", ""], "身份证号", "id_number_missing", ""),
        (["甲"], "身份证号", "id_number_missing", ""),
        (["甲", "无"], "身份证号", "id_number_malformed", "无"),
        (["甲", "1234567"], "身份证号", "id_number_malformed", "123****"),
        (["甲", number(1)[:-1] + "Y"], "身份证号", "id_number_malformed", f"{MASK}001Y"),
        (["甲", 1.10101199003071e17], "身份证号", "id_number_as_number", "1.1*****************"),
        (["甲", 110101199003071234], "身份证号", "id_number_as_number", "110***********1234"),
        (["甲", "1.10101E+17"], "身份证号", "id_number_as_number", "1.1********"),
        (["甲", "1.10101e17"], "身份证号", "id_number_as_number", "1.1*******"),
        (["甲", LOST], "身份证号", "id_number_as_number", "110***********0000"),
        (["甲", number(1), "12"], "联系电话", "phone_malformed", "12"),
        (["甲", number(1), "无"], "联系电话", "phone_malformed", "无"),
    ],
)
def test_bad_rows_say_why(row: list[Cell], column: str, code: str, value: str) -> None:
    assert only(*row) == (2, column, code, value)


def test_the_second_of_two_rows_is_the_bad_one() -> None:
    good, bad = read(["甲", number(1)], ["乙", number(2)], ["丙", f" {number(1)}"])
    assert [row.name for row in good] == ["甲", "乙"]
    assert bad == [Rejected(4, "身份证号", "id_number_twice", f"{MASK}{number(1)[-4:]}")]  # type: ignore[arg-type]


def test_a_bad_row_does_not_use_its_number_up() -> None:
    good, bad = read(["甲", number(1), "x"], ["甲", number(1), ""])
    assert [row.number for row in good] == [3]
    assert [fault.code for fault in bad] == ["phone_malformed"]


def test_a_row_of_another_class() -> None:
    header: list[Cell] = ["班级编号", "姓名", "身份证号"]
    rows = lines(header, ["演-1", "甲", number(1)], ["演-2", "乙", number(2)], ["", "丙", number(3)])
    good, bad = judge([rows], "演-1", check)
    assert [row.name for row in good] == ["甲", "丙"]
    assert [(fault.row, fault.column, fault.code, fault.value) for fault in bad] == [
        (3, "班级编号", "other_class", "演-2")
    ]


@pytest.mark.parametrize(
    "header",
    [
        ["身份证号码", "姓 名", "手机号"],
        ["公民身份号码（18位）", "*姓名", "联系方式"],
        ["证件号码", "学员姓名：", "电话"],
        ["　身份证号　", "姓名（必填）", "联系电话[选填]"],
    ],
)
def test_columns_in_any_order_and_by_their_many_names(header: list[Cell]) -> None:
    good, bad = judge([lines(header, [number(1), "甲", "13800000000"])], "演-1", check)
    assert (good, bad) == ([Row(2, "甲", number(1), "13800000000")], [])


def test_other_columns_are_not_read() -> None:
    header: list[Cell] = ["序号", "姓名", "性别", "身份证号", "民族", "备注"]
    good, _bad = judge([lines(header, [1, "甲", "女", number(1), "汉", "=1+1"])], "演-1", check)
    assert good == [Row(2, "甲", number(1), "")]


@pytest.mark.parametrize("above", [0, HEADER_ROWS - 1])
def test_the_header_stands_in_the_first_rows(above: int) -> None:
    title: list[list[Cell]] = [["某校学员花名册"] for _ in range(above)]
    good, _bad = judge([lines(*title, HEADER, ["甲", number(1)])], "演-1", check)
    assert [row.number for row in good] == [above + 2]


def test_a_header_further_down_is_none() -> None:
    title: list[list[Cell]] = [["某校学员花名册"] for _ in range(HEADER_ROWS)]
    with pytest.raises(DomainError, match="roster_columns_missing"):
        judge([lines(*title, HEADER, ["甲", number(1)])], "演-1", check)


def test_the_first_sheet_with_a_header_counts() -> None:
    good, _bad = judge(
        [lines(["说明"]), lines(HEADER, ["甲", number(1)]), lines(HEADER, ["乙", number(2)])], "演-1", check
    )
    assert [row.name for row in good] == ["甲"]


@pytest.mark.parametrize(("header", "missing"), [(["姓名", "性别"], ["身份证号"]), (["a"], ["姓名", "身份证号"])])
def test_missing_columns_are_named(header: list[Cell], missing: list[str]) -> None:
    with pytest.raises(DomainError, match="roster_columns_missing") as refused:
        judge([lines(header, ["甲", "乙"])], "演-1", check)
    assert refused.value.data == {"missing": missing}


@pytest.mark.parametrize("sheets", [[], [[]], [lines(HEADER)]])
def test_a_roster_without_rows(sheets: list[list[Line]]) -> None:
    with pytest.raises(DomainError, match="roster_empty"):
        judge(sheets, "演-1", check)


def test_so_many_rows_and_not_one_more() -> None:
    rows: list[list[Cell]] = [["", ""]] * ROWS_MAXIMUM
    assert len(read(*rows)[1]) == ROWS_MAXIMUM
    with pytest.raises(DomainError, match="roster_too_long") as refused:
        read(*rows, ["", ""])
    assert refused.value.data == {"maximum": ROWS_MAXIMUM}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("买买提·艾力", "买买提•艾力", True),
        ("买买提·艾力", "买买提艾力", True),
        ("张 三", "张三", True),
        ("Ann Lee", "ＡＮＮ　ＬＥＥ", True),
        ("张三", "张三丰", False),
    ],
)
def test_spellings_of_one_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


any_cell = st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.sampled_from([number(1), "姓名", "身份证号"]))


@given(st.lists(st.lists(any_cell, max_size=5), max_size=20))
def test_whatever_a_file_holds_every_row_has_an_answer(rows: list[list[Cell]]) -> None:
    good, bad = judge([lines(HEADER, *rows, ["甲", number(7)])], "演-1", check)
    assert sorted([row.number for row in good] + [fault.row for fault in bad]) == list(range(2, len(rows) + 3))
    assert number(1) not in "".join(fault.value for fault in bad if fault.column == "身份证号")
