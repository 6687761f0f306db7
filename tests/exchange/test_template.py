"""An empty roster is one that the import reads."""

import io

import openpyxl

from server.exchange import sheets, template
from server.exchange.rules import judge
from tests.accounts.store import number


def test_a_filled_template_is_a_good_roster() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template.xlsx()))
    book.worksheets[0].append(["演示·甲", number(1), "13800000000"])
    buffer = io.BytesIO()
    book.save(buffer)
    good, bad = judge(sheets.read("x.xlsx", buffer.getvalue()), "演-1", lambda text: text)
    assert [(row.name, row.id_number, row.phone) for row in good] == [("演示·甲", number(1), "13800000000")]
    assert bad == []


def test_id_numbers_are_text_in_it() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(template.xlsx())).worksheets[0]
    assert sheet["B1"].value == "身份证号"
    assert sheet.column_dimensions["B"].number_format == "@" or sheet.column_dimensions["A"].number_format == "@"


def test_the_csv_has_the_same_columns() -> None:
    content = template.csv()
    assert content.startswith(b"\xef\xbb\xbf")
    assert sheets.read("x.csv", content) == [[(1, list(template.COLUMNS))]]
