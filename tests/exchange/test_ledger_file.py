"""Files read back as they were meant; nothing in them is a formula, a link or a number it was not."""

import csv
import io
import zipfile
from typing import Any

import pytest

from server.exchange.ledger import COLUMNS, Ledger, Value
from server.exchange.ledger_file import FORMULA_STARTS, write_csv, write_xlsx
from server.exchange.words import CHINESE
from tests.exchange.office import cells

INJECTIONS = [
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
    "＝1+1",
    "http://evil.example",
    "0017",
    "1e9",
    "{=1}",
    '甲"乙,丙',
]


def with_names(names: list[str], demo: bool = False) -> Ledger:
    def row(at: int, name: str) -> list[Value]:
        values: dict[str, Value] = dict.fromkeys(COLUMNS, "")
        return list((values | {"序号": at, "姓名": name, "有效秒": 5_338}).values())

    return Ledger(
        "演-1", demo, CHINESE, ["学时台账", "=head"], [row(at, name) for at, name in enumerate(names, start=1)]
    )


def table(rows: list[list[Any]]) -> list[dict[str, Any]]:
    top = next(at for at, row in enumerate(rows) if row[0] == "序号")
    assert rows[top] == list(COLUMNS)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[top + 1 :]]


def test_xlsx_read_back() -> None:
    rows = cells(write_xlsx(with_names(INJECTIONS)))
    # openpyxl leaves the escape of a carriage return as it stands in the file
    assert [row["姓名"].replace("_x000D_", "\r") for row in table(rows)] == INJECTIONS
    assert [row["序号"] for row in table(rows)] == list(range(1, len(INJECTIONS) + 1))
    assert {row["有效秒"] for row in table(rows)} == {5_338}
    assert rows[1][0] == "=head"


def test_xlsx_holds_no_formula_and_no_link() -> None:
    with zipfile.ZipFile(io.BytesIO(write_xlsx(with_names(INJECTIONS)))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet.lower()
        assert not [part for part in book.namelist() if "externalLink" in part or part.endswith(".bin")]


def test_csv_read_back() -> None:
    content = write_csv(with_names(INJECTIONS))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for row, name in zip(table([row + [""] * (len(COLUMNS) - len(row)) for row in rows]), INJECTIONS, strict=True):
        assert row["姓名"] == (f"'{name}" if name.startswith(FORMULA_STARTS) else name)
        assert row["有效秒"] == "5338"
    assert rows[1] == ["'=head"]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_of_a_csv_begins_as_a_formula(start: str) -> None:
    content = write_csv(with_names([f"{start}x"])).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(content, newline="")):
        assert not any(cell.startswith(FORMULA_STARTS) for cell in row)


def test_a_demo_s_sheet_is_marked_on_every_printed_page() -> None:
    def header(demo: bool) -> str:
        with zipfile.ZipFile(io.BytesIO(write_xlsx(with_names(["甲"], demo)))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        return sheet[sheet.index("<oddHeader>") : sheet.index("</oddHeader>")]

    assert "演示数据" in header(demo=True)
    assert "演示数据" not in header(demo=False)


def test_an_empty_class_is_a_file_as_well() -> None:
    assert table(cells(write_xlsx(with_names([])))) == []
